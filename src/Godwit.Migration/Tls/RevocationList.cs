using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Godwit.Migration.Tls;

/// <summary>A certificate revocation list (RFC 5280, 5.1). It counts only where an authority has signed it.</summary>
public sealed class RevocationList
{
    private const string Label = "X509 CRL";

    private readonly byte[] _issuer;
    private readonly byte[] _signed;
    private readonly byte[] _signature;
    private readonly string _algorithm;
    private readonly HashSet<string> _serials = new(StringComparer.Ordinal);

    private RevocationList(ReadOnlyMemory<byte> der)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        _signed = outer.PeekEncodedValue().ToArray();
        var list = outer.ReadSequence();
        _algorithm = outer.ReadSequence().ReadObjectIdentifier();
        _signature = outer.ReadBitString(out _);
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

    /// <summary>Whether one of these authorities has revoked the certificate by this.</summary>
    public bool Lists(X509Certificate2 certificate, X509Certificate2Collection authorities) =>
        certificate.IssuerName.RawData.AsSpan().SequenceEqual(_issuer) && _serials.Contains(Convert.ToHexString(certificate.SerialNumberBytes.Span))
        && authorities.Any(a => a.SubjectName.RawData.AsSpan().SequenceEqual(_issuer) && IsSignedBy(a));

    private bool IsSignedBy(X509Certificate2 authority)
    {
        using var rsa = authority.GetRSAPublicKey();
        using var ecdsa = authority.GetECDsaPublicKey();
        return _algorithm switch
        {
            "1.2.840.113549.1.1.11" => Rsa(rsa, HashAlgorithmName.SHA256),
            "1.2.840.113549.1.1.12" => Rsa(rsa, HashAlgorithmName.SHA384),
            "1.2.840.113549.1.1.13" => Rsa(rsa, HashAlgorithmName.SHA512),
            "1.2.840.10045.4.3.2" => Ecdsa(ecdsa, HashAlgorithmName.SHA256),
            "1.2.840.10045.4.3.3" => Ecdsa(ecdsa, HashAlgorithmName.SHA384),
            "1.2.840.10045.4.3.4" => Ecdsa(ecdsa, HashAlgorithmName.SHA512),
            _ => false,
        };
    }

    private bool Rsa(RSA? key, HashAlgorithmName hash) => key?.VerifyData(_signed, _signature, hash, RSASignaturePadding.Pkcs1) ?? false;

    private bool Ecdsa(ECDsa? key, HashAlgorithmName hash) => key?.VerifyData(_signed, _signature, hash, DSASignatureFormat.Rfc3279DerSequence) ?? false;
}
