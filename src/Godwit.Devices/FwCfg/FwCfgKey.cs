namespace Godwit.Devices.FwCfg;

/// <summary>Keys of the entries that are no files (Linux: <c>include/uapi/linux/qemu_fw_cfg.h</c>, which QEMU shares).</summary>
public enum FwCfgKey : ushort
{
    Signature = 0x00,
    Id = 0x01,
    Uuid = 0x02,
    RamSize = 0x03,
    NoGraphic = 0x04,
    NbCpus = 0x05,
    MachineId = 0x06,
    KernelAddress = 0x07,
    KernelSize = 0x08,
    KernelCommandLine = 0x09,
    InitrdAddress = 0x0a,
    InitrdSize = 0x0b,
    BootDevice = 0x0c,
    Numa = 0x0d,
    BootMenu = 0x0e,
    MaxCpus = 0x0f,
    KernelEntry = 0x10,
    KernelData = 0x11,
    InitrdData = 0x12,
    CommandLineAddress = 0x13,
    CommandLineSize = 0x14,
    CommandLineData = 0x15,
    SetupAddress = 0x16,
    SetupSize = 0x17,
    SetupData = 0x18,
    FileDirectory = 0x19,

    /// <summary>The first file; the others follow.</summary>
    FileFirst = 0x20,

    /// <summary>What is selected when there is no such key.</summary>
    Invalid = 0xffff,
}
