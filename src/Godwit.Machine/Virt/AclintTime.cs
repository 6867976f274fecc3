using Godwit.Devices.Aclint;
using Godwit.Machine.Cpu;

namespace Godwit.Machine.Virt;

/// <summary>The ACLINT's mtime as the harts see it.</summary>
internal sealed class AclintTime : ITimeSource
{
    public AclintMtimerDevice? Device { get; set; }

    public ulong Now => Device?.Time ?? 0;

    public long ToNanoseconds(ulong time) => Device?.ToNanoseconds(time) ?? long.MaxValue;
}
