namespace Godwit.Devices.Uart16550;

/// <summary>A ring of bytes (QEMU: <c>Fifo8</c>, version 1; <c>util/fifo8.c</c>).</summary>
public sealed class Fifo8
{
    /// <summary>How many bytes it holds.</summary>
    public const int Capacity = 16;

    public byte[] Data { get; } = new byte[Capacity];

    /// <summary>Where in <see cref="Data"/> the oldest byte is.</summary>
    public uint Head { get; set; }

    /// <summary>How many bytes are in it.</summary>
    public uint Num { get; set; }

    public bool IsEmpty => Num == 0;

    public bool IsFull => Num == Capacity;

    /// <summary>Whether head and number are such as it makes itself; a loaded one is to be asked.</summary>
    public bool IsSound => Head < Capacity && Num <= Capacity;

    /// <summary>Adds a byte; it must not be full.</summary>
    public void Push(byte value)
    {
        if (IsFull)
            throw new InvalidOperationException("the FIFO is full");
        Data[(Head + Num) % Capacity] = value;
        Num++;
    }

    /// <summary>Takes the oldest byte; it must not be empty.</summary>
    public byte Pop()
    {
        if (IsEmpty)
            throw new InvalidOperationException("the FIFO is empty");
        var value = Data[Head];
        Head = (Head + 1) % Capacity;
        Num--;
        return value;
    }

    public void Clear() => Head = Num = 0;
}
