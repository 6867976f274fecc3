using System.Text;
using System.Text.Json.Nodes;

namespace Godwit.Monitor.Server;

/// <summary>A stream of JSON values, split anywhere, with QEMU's extensions (single quotes), limits and error messages.
/// Source: QEMU qobject/json-lexer.c and json-streamer.c.</summary>
/// <param name="emit">Given a value, or what is wrong with one.</param>
internal sealed class JsonInput(Action<JsonNode?, string?> emit) : IDisposable
{
    private const int MaxTokenBytes = 64 << 20;
    private const int MaxTokens = 2 << 20;
    private const int MaxNesting = 1024;

    private readonly MemoryStream _text = new();
    private readonly List<JsonToken> _tokens = [];
    private State _state = State.Start;
    private int _line = 1;
    private int _column;
    private int _start = 1;
    private int _braces;
    private int _brackets;
    private long _bytes;

    private enum State
    {
        Start,
        Recovery,
        DoubleQuoted,
        DoubleQuotedEscape,
        SingleQuoted,
        SingleQuotedEscape,
        Zero,
        Sign,
        Digits,
        Point,
        Fraction,
        ExponentMark,
        ExponentSign,
        Exponent,
        Keyword,
    }

    public void Feed(ReadOnlySpan<byte> bytes)
    {
        foreach (var b in bytes)
        {
            _column++;
            if (b == '\n')
            {
                _column = 0;
                _line++;
            }

            while (!Step(b))
            {
                // The byte ended a token without being part of it.
            }
        }
    }

    /// <returns>Whether the byte was taken.</returns>
    private bool Step(byte b)
    {
        switch (_state)
        {
            case State.Start:
                return First(b);
            case State.Recovery:
                if (b is >= 0x20 and < 0xFE and not ((byte)'[' or (byte)']' or (byte)'{' or (byte)'}' or (byte)':' or (byte)',') or (byte)'\t')
                    return true;
                _state = State.Start;
                _start = _column + 1;
                return false;
            case State.DoubleQuoted or State.SingleQuoted:
                return InString(b, _state == State.DoubleQuoted ? (byte)'"' : (byte)'\'');
            case State.DoubleQuotedEscape or State.SingleQuotedEscape:
                return b is >= 0x20 and < 0xFE ? Continue(b, _state == State.DoubleQuotedEscape ? State.DoubleQuoted : State.SingleQuoted) : Stray(b);
            case State.Keyword:
                return b is >= (byte)'a' and <= (byte)'z' ? Continue(b, State.Keyword) : End(JsonTokenKind.Keyword);
            default:
                return InNumber(b);
        }
    }

    private bool First(byte b)
    {
        switch (b)
        {
            case (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n':
                _start = _column + 1;
                return true;
            case (byte)'{' or (byte)'}' or (byte)'[' or (byte)']' or (byte)':' or (byte)',':
                _text.WriteByte(b);
                End((JsonTokenKind)b);
                return true;
            case (byte)'"':
                return Continue(b, State.DoubleQuoted);
            case (byte)'\'':
                return Continue(b, State.SingleQuoted);
            case (byte)'0':
                return Continue(b, State.Zero);
            case (byte)'-':
                return Continue(b, State.Sign);
            case >= (byte)'1' and <= (byte)'9':
                return Continue(b, State.Digits);
            case >= (byte)'a' and <= (byte)'z':
                return Continue(b, State.Keyword);
            default:
                return Stray(b);
        }
    }

    private bool InString(byte b, byte quote)
    {
        if (b is < 0x20 or >= 0xFE)
            return Stray(b);
        if (b == '\\')
            return Continue(b, _state == State.DoubleQuoted ? State.DoubleQuotedEscape : State.SingleQuotedEscape);
        _ = Continue(b, _state);
        if (b == quote)
            End(JsonTokenKind.String);
        return true;
    }

    private bool InNumber(byte b)
    {
        var digit = b is >= (byte)'0' and <= (byte)'9';
        var mark = b is (byte)'e' or (byte)'E';
        return _state switch
        {
            State.Zero => digit ? Stray(b) : b == '.' ? Continue(b, State.Point) : End(JsonTokenKind.Integer),
            State.Sign => b == '0' ? Continue(b, State.Zero) : digit ? Continue(b, State.Digits) : Stray(b),
            State.Digits => digit ? Continue(b, State.Digits) : mark ? Continue(b, State.ExponentMark) : b == '.' ? Continue(b, State.Point) : End(JsonTokenKind.Integer),
            State.Point => digit ? Continue(b, State.Fraction) : Stray(b),
            State.Fraction => digit ? Continue(b, State.Fraction) : mark ? Continue(b, State.ExponentMark) : End(JsonTokenKind.Float),
            State.ExponentMark => digit ? Continue(b, State.Exponent) : b is (byte)'+' or (byte)'-' ? Continue(b, State.ExponentSign) : Stray(b),
            State.ExponentSign => digit ? Continue(b, State.Exponent) : Stray(b),
            _ => digit ? Continue(b, State.Exponent) : End(JsonTokenKind.Float),
        };
    }

    private bool Continue(byte b, State state)
    {
        // A token that never ends is over the limit before it has ended.
        if (_text.Length >= MaxTokenBytes)
        {
            _state = State.Recovery;
            Emit(null, "JSON token size limit exceeded");
            return true;
        }

        _text.WriteByte(b);
        _state = state;
        return true;
    }

    private bool Stray(byte b)
    {
        _text.WriteByte(b);
        // What QEMU prints ends at a zero byte.
        var length = b == 0 ? (int)_text.Length - 1 : (int)_text.Length;
        var text = Encoding.UTF8.GetString(_text.GetBuffer(), 0, length);
        _text.SetLength(0);
        _state = State.Recovery;
        Emit(null, $"{_line}:{_start}: JSON parse error, stray '{text}'");
        return true;
    }

    private bool End(JsonTokenKind kind)
    {
        var token = new JsonToken(kind, _text.ToArray(), _line, _start);
        _text.SetLength(0);
        _state = State.Start;
        // One too far where the byte only ended the token and begins the next: so QEMU counts.
        _start = _column + 1;
        Take(token);
        return false;
    }

    private void Take(JsonToken token)
    {
        _braces += token.Kind == JsonTokenKind.OpenBrace ? 1 : token.Kind == JsonTokenKind.CloseBrace ? -1 : 0;
        _brackets += token.Kind == JsonTokenKind.OpenBracket ? 1 : token.Kind == JsonTokenKind.CloseBracket ? -1 : 0;
        if (_bytes + token.Text.Length + 1 > MaxTokenBytes)
        {
            Emit(null, "JSON token size limit exceeded");
            return;
        }

        if (_tokens.Count + 1 > MaxTokens || _braces + _brackets > MaxNesting)
        {
            Emit(null, _tokens.Count + 1 > MaxTokens ? "JSON token count limit exceeded" : "JSON nesting depth limit exceeded");
            return;
        }

        _bytes += token.Text.Length;
        _tokens.Add(token);
        if ((_braces > 0 || _brackets > 0) && _braces >= 0 && _brackets >= 0)
            return;
        try
        {
            Emit(new JsonTokenParser(_tokens).Parse(), null);
        }
        catch (FormatException e)
        {
            Emit(null, e.Message);
        }
    }

    private void Emit(JsonNode? value, string? error)
    {
        _braces = 0;
        _brackets = 0;
        _bytes = 0;
        _tokens.Clear();
        _text.SetLength(0);
        emit(value, error);
    }

    public void Dispose() => _text.Dispose();
}
