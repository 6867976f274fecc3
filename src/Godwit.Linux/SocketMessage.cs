namespace Godwit.Linux;

/// <summary>struct iovec.</summary>
internal unsafe struct IoVector
{
    public byte* Address;
    public nuint Length;
}

/// <summary>struct msghdr.</summary>
internal unsafe struct SocketMessage
{
    public void* Name;
    public nuint NameLength;
    public IoVector* Parts;
    public nuint Count;
    public void* Control;
    public nuint ControlLength;
    public int Flags;
}
