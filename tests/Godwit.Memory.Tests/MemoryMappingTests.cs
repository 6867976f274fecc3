using Godwit.Linux;
using Godwit.Testing;

namespace Godwit.Memory.Tests;

public sealed class MemoryMappingTests : IDisposable
{
    private const int Length = 4 * GuestPage.Size;
    private const int NotPermitted = 13, TextFileBusy = 26;

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_shared_file_has_what_is_written_and_shows_what_others_write()
    {
        using var ram = Map("ram", share: true);

        ram.Write(4096, 3).Fill(5);
        Assert.Equal([0, 5, 5, 5, 0], File.ReadAllBytes(_folder.File("ram")).AsSpan(4095, 5).ToArray());

        using (var other = File.OpenHandle(_folder.File("ram"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            RandomAccess.Write(other, [8], 4097);
        Assert.Equal([5, 8, 5], ram.Read(4096, 3).ToArray());
    }

    [Fact]
    public void A_private_file_is_read_and_never_changed()
    {
        File.WriteAllBytes(_folder.File("ram"), [1, 2, 3]);
        using (var ram = Map("ram", share: false))
        {
            Assert.Equal([1, 2, 3, 0], ram.Read(0, 4).ToArray());
            ram.Write(0, 3).Fill(9);
            Assert.Equal([9, 9, 9], ram.Read(0, 3).ToArray());
        }

        Assert.Equal([1, 2, 3, 0], File.ReadAllBytes(_folder.File("ram")).AsSpan(0, 4).ToArray());
    }

    [Fact]
    public void Two_mappings_of_a_shared_file_are_one_memory()
    {
        using var one = Map("ram", share: true);
        using var two = Map("ram", share: true);

        one.Write(Length - 1, 1)[0] = 3;

        Assert.Equal(3, two.Read(Length - 1, 1)[0]);
    }

    [Theory]
    [InlineData(0, Length)]
    [InlineData(100, Length)]
    [InlineData(Length, Length)]
    [InlineData(Length + 100, Length + 100)]
    public void A_file_grows_to_the_memory_and_never_shrinks(int before, int after)
    {
        var content = Enumerable.Repeat((byte)7, before).ToArray();
        File.WriteAllBytes(_folder.File("ram"), content);

        using (Map("ram", share: true))
        {
        }

        Assert.Equal(after, new FileInfo(_folder.File("ram")).Length);
        Assert.Equal(content, File.ReadAllBytes(_folder.File("ram")).AsSpan(0, before).ToArray());
    }

    [Fact]
    public void In_a_folder_the_file_has_no_name()
    {
        using var mapping = MemoryMapping.OpenFile(_folder.Path, Length, share: true);
        using var ram = new RamBlock("test.ram", mapping);

        ram.Write(0, 4).Fill(4);

        Assert.Empty(_folder.Names);
        Assert.Equal(Length, RandomAccess.GetLength(ram.File!));
        var read = new byte[4];
        RandomAccess.Read(ram.File!, read, 0);
        Assert.Equal([4, 4, 4, 4], read);
    }

    [Fact]
    public void A_memory_that_the_file_system_has_no_room_for_leaves_no_file_behind()
    {
        var error = Assert.Throws<SystemCallException>(() => MemoryMapping.OpenFile(_folder.Path, 1UL << 62, share: true));

        Assert.StartsWith("ftruncate ", error.Message, StringComparison.Ordinal);
        Assert.Empty(_folder.Names);
    }

    [Fact]
    public void A_missing_folder_is_named()
    {
        var error = Assert.Throws<SystemCallException>(() => MemoryMapping.OpenFile("/nowhere/ram", Length, share: true));

        Assert.Equal("open /nowhere/ram: No such file or directory", error.Message);
        Assert.Equal(2, error.Error);
    }

    [Fact]
    public void A_file_in_place_of_a_folder_is_named()
    {
        File.WriteAllBytes(_folder.File("file"), []);

        var error = Assert.Throws<SystemCallException>(() => MemoryMapping.OpenFile(_folder.File("file") + "/ram", Length, share: true));

        Assert.Equal($"open {_folder.File("file")}/ram: Not a directory", error.Message);
    }

    /// <summary>Nobody may write a program that runs, not even root; others may not write it anyway.</summary>
    [Fact]
    public void A_file_that_may_not_be_written_is_refused()
    {
        var error = Assert.Throws<SystemCallException>(() => MemoryMapping.OpenFile(Environment.ProcessPath!, Length, share: true));

        Assert.Contains(error.Error, new[] { NotPermitted, TextFileBusy });
        Assert.StartsWith($"open {Environment.ProcessPath}: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Memory_longer_than_any_is_refused()
    {
        var error = Assert.Throws<SystemCallException>(() => MemoryMapping.CreateMemfd("large", ulong.MaxValue & ~0xfffUL));

        Assert.StartsWith("ftruncate large: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Private_memory_longer_than_any_is_refused()
    {
        var error = Assert.Throws<SystemCallException>(() => MemoryMapping.CreatePrivate("large", ulong.MaxValue & ~0xfffUL));

        Assert.StartsWith("mmap large: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Private_memory_has_no_file_and_a_memfd_is_one_memory()
    {
        using var own = RamBlock.Create("own", Length);
        using var shared = RamBlock.CreateShared("shared", Length);
        shared.Write(4096, 2).Fill(6);

        Assert.Null(own.File);
        var read = new byte[4];
        RandomAccess.Read(shared.File!, read, 4095);
        Assert.Equal([0, 6, 6, 0], read);
    }

    /// <summary>Reading would put memory there.</summary>
    [Fact]
    public void Untouched_memory_that_others_may_map_is_known()
    {
        using var ram = RamBlock.CreateShared("ram", 16 * GuestPage.Size);
        Assert.Equal(ram.Length, ram.NextData(0));

        ram.Write(5 * GuestPage.Size, 1)[0] = 1;

        Assert.Equal(5UL * GuestPage.Size, ram.NextData(0));
        Assert.Equal((5UL * GuestPage.Size) + 8, ram.NextData((5 * GuestPage.Size) + 8));
        Assert.Equal(ram.Length, ram.NextData(6 * GuestPage.Size));
    }

    [Fact]
    public void A_name_with_spaces_and_letters_of_all_kinds_is_a_name()
    {
        using (Map("gäst 1.ram", share: true))
        {
        }

        Assert.Equal(["gäst 1.ram"], _folder.Names);
    }

    public void Dispose() => _folder.Dispose();

    private RamBlock Map(string name, bool share) => new("test.ram", MemoryMapping.OpenFile(_folder.File(name), Length, share));
}
