namespace Godwit.Memory;

/// <summary>The page of the boards here: 4 KiB, the unit of dirty tracking and of translation.</summary>
public static class GuestPage
{
    public const int Bits = 12;
    public const int Size = 1 << Bits;
    public const ulong OffsetMask = Size - 1;
}
