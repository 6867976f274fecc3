using Godwit.Machine.Cpu;

namespace Godwit.Machine.Tests.Virt;

public sealed class CpuModelTests
{
    [Fact]
    public void The_default_has_all_that_is_implemented()
    {
        var cpu = CpuModel.Parse("rv64");

        Assert.Equal(CpuModel.Default.Isa, cpu.Isa);
        Assert.True(cpu.Has("zba") && cpu.Has("sstc") && cpu.Has("d"));
        Assert.False(cpu.Has("h") || cpu.Has("v") || cpu.Has("zb"));
        Assert.Equal("riscv,sv57", cpu.MmuType);
    }

    [Fact]
    public void What_is_turned_off_is_gone_from_every_form()
    {
        var cpu = CpuModel.Parse("rv64,zfa=off,sstc=false");

        Assert.False(cpu.Has("zfa") || cpu.Has("sstc"));
        Assert.DoesNotContain("zfa", cpu.Isa, StringComparison.Ordinal);
        Assert.DoesNotContain("sstc", cpu.IsaExtensions);
        Assert.True(cpu.Has("zba"));
    }

    [Theory]
    [InlineData("max", "CPU model 'max'")]
    [InlineData("", "CPU model ''")]
    [InlineData("rv64,zba", "'zba' has no value")]
    [InlineData("rv64,=on", "'=on' has no value")]
    [InlineData("rv64,zba=maybe", "'zba' is on or off, not 'maybe'")]
    [InlineData("rv64,nope=true", "'nope' is not known")]
    [InlineData("rv64,ssccptr=true,nope=off", "'nope' is not known")]
    [InlineData("rv64,h=true", "'h': the extension is not implemented")]
    [InlineData("rv64,v=on", "'v': the extension is not implemented")]
    [InlineData("rv64,zicond=on", "'zicond': the extension is not implemented")]
    [InlineData("rv64,a=off", "'a': the extension can't be turned off")]
    [InlineData("rv64,c=false", "'c': the extension can't be turned off")]
    [InlineData("rv64,zicsr=false", "'zicsr': the extension can't be turned off")]
    [InlineData("rv64,sv39=off", "'sv39'")]
    [InlineData("rv64,sv57=on,sv48=off", "'sv48': it can't be off while sv57 is on")]
    [InlineData("rv64,sv64=on", "'sv64' is not known")]
    public void What_cannot_be_is_refused_by_its_name(string text, string words)
    {
        var error = Assert.Throws<ArgumentException>(() => CpuModel.Parse(text));

        Assert.Contains(words, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
