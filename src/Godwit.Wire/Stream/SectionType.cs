namespace Godwit.Wire.Stream;

/// <summary>The byte that opens each element of the stream after its header. Source: QEMU migration/savevm.h.</summary>
public enum SectionType : byte
{
    /// <summary>The device state is complete; a description may follow.</summary>
    Eof = 0x00,

    /// <summary>A live section begins.</summary>
    Start = 0x01,

    /// <summary>A live section goes on.</summary>
    Part = 0x02,

    /// <summary>A live section ends.</summary>
    End = 0x03,

    /// <summary>A device that is saved in one go.</summary>
    Full = 0x04,

    /// <summary>An optional part of a device or of the configuration; stands only inside those.</summary>
    Subsection = 0x05,

    /// <summary>The JSON description of the devices, after <see cref="Eof"/>.</summary>
    VmDescription = 0x06,

    /// <summary>Machine name and what both ends must agree on; stands only after the file header.</summary>
    Configuration = 0x07,

    Command = 0x08,

    /// <summary>Closes a section and repeats its id.</summary>
    Footer = 0x7e,
}
