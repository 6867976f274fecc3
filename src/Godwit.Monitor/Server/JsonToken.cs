namespace Godwit.Monitor.Server;

internal enum JsonTokenKind
{
    String = 1,
    Integer,
    Float,
    Keyword,
    Comma = ',',
    Colon = ':',
    OpenBracket = '[',
    CloseBracket = ']',
    OpenBrace = '{',
    CloseBrace = '}',
}

/// <param name="Text">As it came, with quotes.</param>
/// <param name="Column">Of its first byte, from 1.</param>
internal sealed record JsonToken(JsonTokenKind Kind, byte[] Text, int Line, int Column);
