using Godwit.Machine.Cpu;
using Godwit.Machine.Virt;
using static Godwit.Machine.Tests.Hostile.HostileMachine;
using static Godwit.Machine.Tests.Lifecycle.Code;

namespace Godwit.Machine.Tests.Hostile;

/// <summary>Whatever a guest executes, it harms itself only: nothing of ours throws, and it can always be paused.</summary>
public sealed class HostileCodeTests
{
    private const int Mstatus = 0x300, Mscratch = 0x340, Mepc = 0x341;
    private const ulong CodeOffset = 0x10_0000, TablesOffset = 0x20_0000;
    private const int Slot = 64, Slots = 256, TablePages = 64;
    private const int X30 = 30, X31 = 31;

    [Theory]
    [InlineData(Privilege.Machine, 11)]
    [InlineData(Privilege.Supervisor, 12)]
    [InlineData(Privilege.User, 13)]
    public async Task Random_instructions_do_no_harm(Privilege privilege, int seed)
    {
        using var machine = new HostileMachine();
        var random = new Random(seed);
        var code = new uint[Slot / sizeof(uint) * Slots];
        var rounds = Rounds(300);
        for (var round = 0; round < rounds; round++)
        {
            for (var n = 0; n < code.Length; n++)
                code[n] = RandomInstructions.Next(random);
            machine.Restart();
            machine.Store(CodeOffset, code);
            // A trap goes on at the next slot.
            machine.Store(0, [Csrr(X31, Mscratch), .. Li(X30, Slot), Add(X31, X31, X30), Csrw(Mscratch, X31), Csrw(Mepc, X31), Mret]);
            var state = machine.State;
            Scatter(machine, random);
            state.Pc = state.Mscratch = Ram + CodeOffset;
            state.Mtvec = Ram;
            state.Stvec = random.Next(2) == 0 ? Ram + CodeOffset : (ulong)random.NextInt64() << 2;
            state.Medeleg = random.Next(2) == 0 ? 0 : (ulong)random.Next(0x10000);
            state.Mstatus |= (ulong)random.Next(4) << 13;
            state.Priv = privilege;
            if (random.Next(3) == 0)
            {
                FillTables(machine, random);
                state.Satp = Satp(random);
            }

            await machine.RunAsync($"seed {seed}, round {round}");
        }

        Assert.True(machine.Retired > 100 * (ulong)rounds, $"{machine.Retired} instructions");
    }

    /// <summary>Machine mode accesses memory as supervisor or user by tables of any content, with PTEs that lead to tables, RAM, devices, nowhere.</summary>
    [Theory]
    [InlineData(21)]
    [InlineData(22)]
    public async Task Random_page_tables_do_no_harm(int seed)
    {
        using var machine = new HostileMachine();
        var random = new Random(seed);
        var rounds = Rounds(300);
        for (var round = 0; round < rounds; round++)
        {
            machine.Restart();
            FillTables(machine, random);
            StoreAccesses(machine, random);
            var state = machine.State;
            var satp = Satp(random);
            for (var r = 1; r < 30; r++)
                state.X[r] = VirtualAddress(random, (int)(satp >> 60));
            const ulong Mprv = 1 << 17;
            // Status and what it is set to after each trap: accesses as the lower mode, with SUM and MXR as they come.
            state.X[30] = state.Mstatus | Mprv | ((ulong)random.Next(2) << 11) | ((ulong)random.Next(4) << 18);
            state.Mstatus = state.X[30];
            state.Satp = satp;
            state.Menvcfg = (ulong)random.Next(2) << 61;

            await machine.RunAsync($"seed {seed}, round {round}");
        }

        Assert.True(machine.Retired > 500 * (ulong)rounds, $"{machine.Retired} instructions");
    }

    /// <summary>Loads, stores, atomics of all sizes and alignments to the whole physical space, most of them where devices are.</summary>
    [Theory]
    [InlineData(31)]
    [InlineData(32)]
    public async Task Random_accesses_to_devices_do_no_harm(int seed)
    {
        using var machine = new HostileMachine();
        var random = new Random(seed);
        var rounds = Rounds(300);
        for (var round = 0; round < rounds; round++)
        {
            machine.Restart();
            StoreAccesses(machine, random);
            for (var r = 1; r < 30; r++)
                machine.State.X[r] = PhysicalAddress(random);
            machine.State.X[30] = machine.State.Mstatus;

            await machine.RunAsync($"seed {seed}, round {round}");
        }

        Assert.True(machine.Retired > 500 * (ulong)rounds, $"{machine.Retired} instructions");
    }

    [Theory]
    [InlineData(41)]
    public async Task Code_fetched_from_anywhere_does_no_harm(int seed)
    {
        const int Link = 29;
        using var machine = new HostileMachine();
        var random = new Random(seed);
        var rounds = Rounds(300);
        for (var round = 0; round < rounds; round++)
        {
            machine.Restart();
            // jalr to an address in a register; a trap comes back to where the last one left.
            var code = Enumerable.Range(0, 1000).Select(_ => ((uint)random.Next(1, 29) << 15) | (Link << 7) | 0x67u).ToArray();
            machine.Store(CodeOffset, [.. code, Stay]);
            machine.Store(0, [Csrw(Mstatus, X30), ((uint)Link << 15) | 0x67]);
            var state = machine.State;
            Scatter(machine, random);
            for (var r = 1; r < 29; r++)
                state.X[r] = PhysicalAddress(random);
            state.X[Link] = Ram + CodeOffset;
            state.X[30] = state.Mstatus;
            state.Pc = Ram + CodeOffset;
            state.Mtvec = Ram;
            // Something to execute where the guest can write it: the flash chips.
            for (ulong n = 0; n < 16; n++)
                machine.Memory.TryStoreDevice(MemoryMap.Flash1.Base + (n * 4), 4, RandomInstructions.Next(random));

            await machine.RunAsync($"seed {seed}, round {round}");
        }

        Assert.True(machine.Retired > 500 * (ulong)rounds, $"{machine.Retired} instructions");
    }

    /// <summary>Accesses by x1 to x29, then again from the start; the handler goes on behind what failed, with the status in x30.</summary>
    private static void StoreAccesses(HostileMachine machine, Random random)
    {
        var code = Enumerable.Range(0, 500).Select(_ => RandomInstructions.NextAccess(random)).ToArray();
        machine.Store(CodeOffset, [.. code, Jump(-4 * code.Length)]);
        machine.Store(0, [Csrr(X31, Mepc), Addi(X31, X31, 4), Csrw(Mstatus, X30), (X31 << 15) | 0x67]);
        machine.State.Pc = Ram + CodeOffset;
        machine.State.Mtvec = Ram;
        // Floating-point loads and stores too.
        machine.State.Mstatus |= 1 << 13;
    }

    private static void Scatter(HostileMachine machine, Random random)
    {
        for (var r = 1; r < 32; r++)
        {
            machine.State.X[r] = random.Next(4) switch
            {
                0 => (ulong)random.NextInt64(long.MinValue, long.MaxValue),
                1 => Ram + (ulong)random.Next(MemorySize),
                2 => (Ram + (ulong)random.Next(MemorySize)) & ~7UL,
                _ => (ulong)random.Next(-16, 256),
            };
        }

        for (var r = 0; r < 32; r++)
            machine.State.F[r] = (ulong)random.NextInt64(long.MinValue, long.MaxValue);
    }

    private static void FillTables(HostileMachine machine, Random random)
    {
        var tables = machine.Block.Write(TablesOffset, TablePages * 4096);
        for (var n = 0; n < tables.Length; n += 8)
            BitConverter.TryWriteBytes(tables[n..], Entry(random));
    }

    private static ulong Entry(Random random)
    {
        const ulong Valid = 1, Permissions = 0xe, AccessedDirty = 0xc0;
        var page = random.Next(10) switch
        {
            < 4 => ((Ram + TablesOffset) >> 12) + (ulong)random.Next(TablePages),
            < 6 => (Ram >> 12) + (ulong)random.Next(MemorySize >> 12),
            < 7 => (Ram >> 12) & ~0x1ffUL,
            < 9 => PhysicalAddress(random) >> 12,
            _ => (ulong)random.NextInt64(1L << 44),
        };
        var flags = (ulong)random.Next(1024);
        flags = random.Next(10) switch
        {
            < 5 => Valid,
            < 8 => flags | Valid | Permissions | AccessedDirty,
            < 9 => flags | Valid,
            _ => flags,
        };
        return (page << 10) | flags | (random.Next(30) == 0 ? (ulong)random.Next(1024) << 54 : 0);
    }

    private static ulong Satp(Random random) =>
        ((ulong)random.Next(8, 11) << 60) | (random.Next(10) == 0 ? (ulong)random.NextInt64(1L << 44) : ((Ram + TablesOffset) >> 12) + (ulong)random.Next(TablePages));

    private static ulong VirtualAddress(Random random, int mode)
    {
        if (random.Next(20) == 0)
            return (ulong)random.NextInt64(long.MinValue, long.MaxValue);
        var unused = 64 - (12 + (9 * (mode - 5)));
        var address = (ulong)(random.NextInt64(long.MinValue, long.MaxValue) << unused >> unused);
        return random.Next(3) == 0 ? (address & ~0xfffUL) | (0xff0 + (ulong)random.Next(16)) : address & ~7UL;
    }

    private static ulong PhysicalAddress(Random random)
    {
        if (random.Next(10) == 0)
            return (ulong)random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64);
        var all = MemoryMap.Fixed;
        var place = random.Next(12) == 0 ? MemoryMap.HighPcieMmio(MemorySize) : all[random.Next(all.Count)];
        // The switch that ends everything now and then only.
        if (place == MemoryMap.Test && random.Next(10) != 0)
            place = MemoryMap.FwCfg;
        var address = random.Next(3) switch
        {
            0 => place.Base + (ulong)random.NextInt64((long)place.Size),
            1 => place.End - (ulong)random.Next(16),
            _ => place.Base + (ulong)random.Next((int)Math.Min(0x200, place.Size)),
        };
        return random.Next(4) == 0 ? address : address & ~7UL;
    }
}
