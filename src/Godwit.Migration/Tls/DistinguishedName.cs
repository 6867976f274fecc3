using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Godwit.Migration.Tls;

/// <summary>A certificate's subject as GnuTLS spells it for QEMU (gnutls_x509_crt_get_dn): RFC 4514's words and escapes in the order of the certificate.</summary>
public static class DistinguishedName
{
    private static readonly Dictionary<string, string> Names = new(StringComparer.Ordinal)
    {
        ["2.5.4.3"] = "CN",
        ["2.5.4.4"] = "surName",
        ["2.5.4.5"] = "serialNumber",
        ["2.5.4.6"] = "C",
        ["2.5.4.7"] = "L",
        ["2.5.4.8"] = "ST",
        ["2.5.4.9"] = "street",
        ["2.5.4.10"] = "O",
        ["2.5.4.11"] = "OU",
        ["2.5.4.12"] = "title",
        ["2.5.4.13"] = "description",
        ["2.5.4.15"] = "businessCategory",
        ["2.5.4.17"] = "postalCode",
        ["2.5.4.41"] = "name",
        ["2.5.4.42"] = "givenName",
        ["2.5.4.43"] = "initials",
        ["2.5.4.44"] = "generationQualifier",
        ["2.5.4.46"] = "dnQualifier",
        ["2.5.4.65"] = "pseudonym",
        ["0.9.2342.19200300.100.1.1"] = "UID",
        ["0.9.2342.19200300.100.1.25"] = "DC",
        ["1.2.840.113549.1.9.1"] = "EMAIL",
        ["1.3.6.1.4.1.311.60.2.1.1"] = "jurisdictionOfIncorporationLocalityName",
        ["1.3.6.1.4.1.311.60.2.1.2"] = "jurisdictionOfIncorporationStateOrProvinceName",
        ["1.3.6.1.4.1.311.60.2.1.3"] = "jurisdictionOfIncorporationCountryName",
    };

    /// <summary>Whose value GnuTLS doesn't read.</summary>
    private const string TelephoneNumber = "2.5.4.20";

    public static string Of(X509Certificate2 certificate) => Of(certificate.SubjectName.RawData);

    /// <param name="name">In DER.</param>
    public static string Of(ReadOnlyMemory<byte> name)
    {
        var text = new StringBuilder();
        for (var parts = new AsnReader(name, AsnEncodingRules.DER).ReadSequence(); parts.HasData;)
        {
            var separator = ",";
            for (var values = parts.ReadSetOf(skipSortOrderValidation: true); values.HasData; separator = "+")
            {
                if (text.Length > 0)
                    text.Append(separator);
                var value = values.ReadSequence();
                var type = value.ReadObjectIdentifier();
                text.Append(type == TelephoneNumber ? "telephoneNumber" : Names.GetValueOrDefault(type, type)).Append('=').Append(Value(type, value));
            }
        }

        return text.ToString();
    }

    private static string Value(string type, AsnReader value)
    {
        var tag = (UniversalTagNumber)value.PeekTag().TagValue;
        if (Names.ContainsKey(type) && tag is UniversalTagNumber.UTF8String or UniversalTagNumber.PrintableString or UniversalTagNumber.IA5String or UniversalTagNumber.T61String
            or UniversalTagNumber.BMPString)
            return Escape(value.ReadCharacterString(tag));
        return "#" + Convert.ToHexStringLower(value.ReadEncodedValue().Span);
    }

    private static string Escape(string value)
    {
        var text = new StringBuilder(value.Length);
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] is ',' or '+' or '"' or '\\' or '<' or '>' or ';' || (i == 0 && value[i] is '#' or ' ') || (i == value.Length - 1 && value[i] == ' '))
                text.Append('\\');
            text.Append(value[i]);
        }

        return text.ToString();
    }
}
