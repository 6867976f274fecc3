using Godwit.Testing;
using Godwit.Wire.Stream;

namespace Godwit.Wire.Tests;

public sealed class ConfigurationTests
{
    [Fact]
    public void Every_subsection_comes_back()
    {
        var configuration = new ConfigurationSection("virt-10.0")
        {
            TargetPageBits = 12,
            Capabilities = ["x-ignore-shared", "mapped-ram"],
            Uuid = Guid.Parse("7f0a5a3e-57c5-4b0b-9a0d-0c6a3c1f6a11"),
        };

        var read = Read(configuration)!;

        Assert.Equal(configuration.MachineName, read.MachineName);
        Assert.Equal(configuration.TargetPageBits, read.TargetPageBits);
        Assert.Equal(configuration.Capabilities, read.Capabilities);
        Assert.Equal(configuration.Uuid, read.Uuid);
    }

    [Fact]
    public void QEMUs_capabilities_and_uuid_are_read()
    {
        var reader = new MigrationStreamReader();
        var stream = Golden.Stream("virt-10.0-ignore-shared");
        var at = 0;
        while (reader.Configuration is null && reader.Read(stream.AsSpan(at), true, out var element, out _))
            at += (int)element.Length;

        Assert.Equal(["x-ignore-shared"], reader.Configuration!.Capabilities);
        Assert.Equal(Guid.Parse("7f0a5a3e-57c5-4b0b-9a0d-0c6a3c1f6a11"), reader.Configuration.Uuid);
    }

    [Theory]
    [InlineData(7u)]
    [InlineData(17u)]
    [InlineData(0xffffffffu)]
    public void Impossible_page_bits_are_named(uint bits)
    {
        var error = Assert.Throws<MigrationStreamException>(() => Read(new ConfigurationSection("m") { TargetPageBits = (int)bits }));

        Assert.Equal("configuration/target-page-bits", error.Field);
    }

    private static ConfigurationSection? Read(ConfigurationSection configuration)
    {
        var writer = new WireWriter(new byte[500]);
        StreamHeader.Write(ref writer);
        configuration.Write(ref writer);
        writer.Byte((byte)SectionType.Eof);
        var bytes = writer.Written.ToArray();
        var reader = new MigrationStreamReader();
        var at = 0;
        while (reader.Read(bytes.AsSpan(at), true, out var element, out _))
            at += (int)element.Length;
        return reader.Configuration;
    }
}
