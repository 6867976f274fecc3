using Godwit.Machine.Lifecycle;
using Godwit.Machine.Tests.Lifecycle;
using Godwit.Memory;
using static Godwit.Machine.Tests.Lifecycle.Code;

namespace Godwit.Machine.Tests.Saved;

/// <summary>What the engine asks of the board, without an engine.</summary>
public sealed class SwitchoverTests
{
    [Fact]
    public void A_source_stops_is_taken_back_stops_again_hands_over_and_can_be_woken()
    {
        using var machine = TestMachine.Raw(ToBytes(Stay));
        machine.Machine.Continue();
        machine.Machine.StopForSwitchover();
        machine.Machine.Continue();
        machine.Machine.Reset();
        machine.Machine.TakeBack();
        machine.Machine.StopForSwitchover();
        machine.Machine.HandOver();
        machine.Machine.TakeBack();
        machine.Machine.Continue();
        machine.Machine.Pause();
        Assert.Equal(
            [RunState.Running, RunState.FinishMigrate, RunState.Running, RunState.FinishMigrate, RunState.PostMigrate, RunState.Running, RunState.Paused],
            machine.States);
    }

    [Fact]
    public void A_paused_source_stays_paused()
    {
        using var machine = TestMachine.Raw(ToBytes(Stay));
        machine.Machine.StopForSwitchover();
        machine.Machine.TakeBack();
        Assert.Equal(RunState.Prelaunch, machine.Machine.State);
        machine.Machine.Continue();
        machine.Machine.StopForSwitchover();
        machine.Machine.Pause();
        machine.Machine.TakeBack();
        Assert.Equal(RunState.Paused, machine.Machine.State);
        machine.Machine.StopForSwitchover();
        machine.Machine.HandOver();
        machine.Machine.Reset();
        Assert.Equal(RunState.Prelaunch, machine.Machine.State);
    }

    [Theory]
    [InlineData(false, false, RunState.Running)]
    [InlineData(true, false, RunState.Paused)]
    [InlineData(true, true, RunState.Running)]
    public void An_incoming_machine_holds_nothing_and_waits(bool startPaused, bool continued, RunState end)
    {
        using var machine = TestMachine.Raw(ToBytes(Stay), o => o with { Incoming = true, StartPaused = startPaused });
        Assert.Equal(RunState.InMigrate, machine.Machine.State);
        Assert.All(machine.Machine.RamBlocks, b => Assert.Equal(-1, b.Read(0, (int)b.Length).IndexOfAnyExcept((byte)0, (byte)0xff)));
        if (continued)
            machine.Machine.Continue();
        machine.Machine.Reset();
        machine.Machine.DiscardIncoming();
        Assert.Equal(RunState.InMigrate, machine.Machine.State);
        machine.Machine.StartIncoming();
        Assert.Equal(end, machine.Machine.State);
    }

    [Theory]
    [InlineData(16UL, "virt.flash0 virt.flash1 riscv_virt_board.ram")]
    [InlineData(64UL, "riscv_virt_board.ram virt.flash0 virt.flash1")]
    public void Blocks_come_in_the_order_of_QEMU_s_stream(ulong mebibytes, string first)
    {
        using var ram = RamBlock.Create(Godwit.Machine.Virt.MemoryMap.RamName, mebibytes << 20);
        using var machine = TestMachine.Raw(ToBytes(Stay), o => o with { Ram = ram, Load = o.Load with { MemorySize = mebibytes << 20 } });
        Assert.Equal(
            first + " /rom@etc/acpi/tables riscv_virt_board.mrom /rom@etc/table-loader /rom@etc/acpi/rsdp",
            string.Join(' ', machine.Machine.RamBlocks.Select(b => b.IdStr)));
    }

    [Fact]
    public void No_store_is_lost_while_bits_are_taken()
    {
        // Counts in the first word of each of eight pages from 1 MiB on, in turn, as fast as it can.
        using var machine = TestMachine.Raw(ToBytes(
        [
            Lui(A2, 0x80100), Slli(A2, A2, 32), .. ShiftRight(A2), Addi(T0, Zero, 8), Lui(T1, 1), Addi(A3, A2, 0),
            Ld(T2, 0, A3), Addi(T2, T2, 1), Sd(T2, 0, A3), Add(A3, A3, T1), Addi(T0, T0, -1), Bnez(T0, -20), Addi(T0, Zero, 8), Jump(-32),
        ]));
        var block = machine.Machine.RamBlocks.First(b => b.IdStr == Godwit.Machine.Virt.MemoryMap.RamName);
        var copy = new byte[block.Length];
        machine.Machine.Continue();
        for (var round = 0; round < 300; round++)
        {
            // A hart that is stopped again at once does nothing.
            var count = machine.ReadRam(1 << 20);
            Assert.True(SpinWait.SpinUntil(() => machine.ReadRam(1 << 20) != count, TestMachine.Patience));
            Copy();
        }

        machine.Machine.StopForSwitchover();
        Copy();
        Assert.True(BitConverter.ToUInt64(copy, 1 << 20) >= 300);
        Assert.True(block.Read(0, copy.Length).SequenceEqual(copy));

        void Copy()
        {
            var taken = new ulong[(block.Dirty.Pages + 63) / 64];
            for (var word = 0; word < taken.Length; word++)
                taken[word] = block.Dirty.Take(word);
            machine.Machine.SynchronizeWriters();
            for (var page = 0; page < block.Dirty.Pages; page++)
            {
                if ((taken[page / 64] >> (page % 64) & 1) != 0)
                    block.Read((ulong)page << 12, 4096).CopyTo(copy.AsSpan(page << 12));
            }
        }
    }

    [Fact]
    public async Task A_guest_that_powers_off_is_not_brought_back()
    {
        using var machine = TestMachine.Raw(ToBytes([.. Finish(0x5555)]));
        machine.Machine.Continue();
        machine.Machine.StopForSwitchover();
        machine.Machine.TakeBack();
        Assert.Equal(0, await machine.EndedAsync());
        await machine.WaitForAsync(RunState.Shutdown);
    }

    /// <summary>Logically, by 32 bits.</summary>
    private static uint[] ShiftRight(int register) => [(32u << 20) | ((uint)register << 15) | (5u << 12) | ((uint)register << 7) | 0x13];
}
