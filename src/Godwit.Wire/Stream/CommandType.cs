namespace Godwit.Wire.Stream;

/// <summary>The commands from source to destination. Source: QEMU migration/savevm.c, enum qemu_vm_cmd.</summary>
public enum CommandType : ushort
{
    OpenReturnPath = 1,
    Ping = 2,
    PostcopyAdvise = 3,
    PostcopyListen = 4,
    PostcopyRun = 5,
    PostcopyRamDiscard = 6,
    Packaged = 7,
    EnableColo = 8,
    PostcopyResume = 9,
    RecvBitmap = 10,
    SwitchoverStart = 11,
}

/// <summary>Names and payload lengths of the commands.</summary>
public static class CommandTypes
{
    /// <summary>The length of a payload that varies.</summary>
    public const int Variable = -1;

    /// <summary>QEMU's name of a command, as its messages spell it.</summary>
    public static string QemuName(this CommandType type) => type switch
    {
        CommandType.OpenReturnPath => "OPEN_RETURN_PATH",
        CommandType.Ping => "PING",
        CommandType.PostcopyAdvise => "POSTCOPY_ADVISE",
        CommandType.PostcopyListen => "POSTCOPY_LISTEN",
        CommandType.PostcopyRun => "POSTCOPY_RUN",
        CommandType.PostcopyRamDiscard => "POSTCOPY_RAM_DISCARD",
        CommandType.Packaged => "PACKAGED",
        CommandType.EnableColo => "ENABLE_COLO",
        CommandType.PostcopyResume => "POSTCOPY_RESUME",
        CommandType.RecvBitmap => "RECV_BITMAP",
        CommandType.SwitchoverStart => "SWITCHOVER_START",
        _ => $"command {(ushort)type}",
    };

    /// <summary>Bytes of payload, or <see cref="Variable"/>.</summary>
    public static int PayloadLength(this CommandType type) => type switch
    {
        CommandType.Ping or CommandType.Packaged => 4,
        CommandType.PostcopyAdvise or CommandType.PostcopyRamDiscard or CommandType.RecvBitmap => Variable,
        _ => 0,
    };

    public static bool IsKnown(this CommandType type) => type is >= CommandType.OpenReturnPath and <= CommandType.SwitchoverStart;
}
