using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Godwit.Migration.Tls;

/// <summary>A certificate revocation list (RFC 5280, 5.1). Its file is trusted: as in QEMU, nobody looks who has signed it.</summary>
public sealed class RevocationList
{
    private const string Label = "X509 CRL";

    private readonly byte[] _issuer;
    private readonly HashSet<string> _serials = new(StringComparer.Ordinal);

    private RevocationList(ReadOnlyMemory<byte> der)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        var list = outer.ReadSequence();
        if (list.PeekTag().HasSameClassAndValue(Asn1Tag.Integer))
            list.ReadInteger();
        list.ReadSequence();
        _issuer = list.ReadEncodedValue().ToArray();
        list.ReadEncodedValue();
        if (list.HasData && !list.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence) && list.PeekTag().TagClass == TagClass.Universal)
            list.ReadEncodedValue();
        if (!list.HasData || !list.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence))
            return;
        for (var entries = list.ReadSequence(); entries.HasData;)
            _serials.Add(Convert.ToHexString(entries.ReadSequence().ReadIntegerBytes().Span));
    }

    /// <exception cref="CryptographicException">There is none.</exception>
    /// <exception cref="AsnContentException">One is malformed.</exception>
    public static IReadOnlyList<RevocationList> ReadPem(string text)
    {
        var all = new List<RevocationList>();
        for (var rest = text.AsSpan(); PemEncoding.TryFind(rest, out var fields); rest = rest[fields.Location.End..])
        {
            if (rest[fields.Label].SequenceEqual(Label))
                all.Add(new RevocationList(Convert.FromBase64String(rest[fields.Base64Data].ToString())));
        }

        return all.Count > 0 ? all : throw new CryptographicException("it has no revocation list in PEM");
    }

    /// <summary>Whether the certificate is revoked by this.</summary>
    public bool Lists(X509Certificate2 certificate) =>
        certificate.IssuerName.RawData.AsSpan().SequenceEqual(_issuer) && _serials.Contains(Convert.ToHexString(certificate.SerialNumberBytes.Span));
}
