using System.Security.Cryptography.X509Certificates;
using Godwit.Migration.Tls;

namespace Godwit.Migration.Tests.Tls;

/// <summary>Names as QEMU 11.1 with GnuTLS spelled them when it denied them.</summary>
public sealed class DistinguishedNameTests
{
    [Fact]
    public void Parts_come_in_the_certificates_order()
    {
        var builder = new X500DistinguishedNameBuilder();
        // The builder's first becomes the certificate's last.
        builder.Add("2.5.4.3", " Müller = x ");
        builder.Add("2.5.4.97", "oi");
        builder.AddEmailAddress("a@b.c");
        builder.AddDomainComponent("com");
        builder.Add("2.5.4.42", "Ann");
        builder.Add("2.5.4.10", "Acme, Inc. ");
        builder.AddCountryOrRegion("DE");

        Assert.Equal("""C=DE,O=Acme\, Inc.\ ,givenName=Ann,DC=com,EMAIL=a@b.c,2.5.4.97=#0c026f69,CN=\ Müller = x\ """, DistinguishedName.Of(builder.Build().RawData));
    }

    [Theory]
    [InlineData("2.5.4.10", "A+B \"q\" <x>;y\\z#", "O=A\\+B \\\"q\\\" \\<x\\>\\;y\\\\z#")]
    [InlineData("2.5.4.11", "#lead", "OU=\\#lead")]
    [InlineData("2.5.4.20", "12", "telephoneNumber=#0c023132")]
    [InlineData("2.5.4.45", "aa", "2.5.4.45=#0c026161")]
    public void What_means_something_is_escaped(string type, string value, string expected)
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.Add(type, value);

        Assert.EndsWith(expected, DistinguishedName.Of(builder.Build().RawData), StringComparison.Ordinal);
    }
}
