using Godwit.Wire.Ram;
using Godwit.Wire.Stream;

namespace Godwit.Wire.Tests;

/// <summary>Writes an element anew out of its values, by the writers that the library offers.</summary>
internal static class Rewriter
{
    public static void Write(ref WireWriter writer, in StreamElement element, MigrationStreamReader reader)
    {
        switch (element.Kind)
        {
            case StreamElementKind.Header:
                StreamHeader.Write(ref writer);
                break;
            case StreamElementKind.Configuration:
                reader.Configuration!.Write(ref writer);
                break;
            case StreamElementKind.SectionStart:
                reader.Section!.Write(ref writer);
                break;
            case StreamElementKind.SectionFooter:
                reader.Section!.WriteFooter(ref writer);
                break;
            case StreamElementKind.Command:
                WriteCommand(ref writer, element);
                break;
            case StreamElementKind.RamMemSize:
                RamItem.WriteMemSize(ref writer, element.PageOffset);
                break;
            case StreamElementKind.RamBlock:
                element.Block!.Write(ref writer);
                break;
            case StreamElementKind.RamPage:
                WritePage(ref writer, element);
                break;
            case StreamElementKind.RamControl when element.Flags == RamFlags.Eos:
                RamItem.WriteEos(ref writer);
                break;
            case StreamElementKind.RamControl when element.Flags == RamFlags.MultifdFlush:
                RamItem.WriteMultifdFlush(ref writer);
                break;
            case StreamElementKind.RamControl:
                RamItem.WriteHook(ref writer);
                break;
            case StreamElementKind.Eof:
                writer.Byte((byte)SectionType.Eof);
                break;
            case StreamElementKind.VmDescriptionHeader:
                writer.Byte((byte)SectionType.VmDescription);
                writer.UInt32(reader.DescriptionLength);
                break;
            default:
                writer.Bytes(element.Payload);
                break;
        }
    }

    private static void WritePage(ref WireWriter writer, in StreamElement element)
    {
        var name = element.Flags.HasFlag(RamFlags.Continue) ? null : element.Block!.Name;
        switch (element.Flags & ~RamFlags.Continue)
        {
            case RamFlags.Zero:
                RamItem.WriteZeroPage(ref writer, element.PageOffset, name);
                break;
            case RamFlags.Xbzrle:
                RamItem.WriteXbzrle(ref writer, element.PageOffset, name, element.Payload);
                break;
            case RamFlags.CompressPage:
                RamItem.WriteCompressPage(ref writer, element.PageOffset, name, element.Payload);
                break;
            default:
                RamItem.WriteHeader(ref writer, element.PageOffset, RamFlags.Page, name);
                writer.Bytes(element.Payload);
                break;
        }
    }

    private static void WriteCommand(ref WireWriter writer, in StreamElement element)
    {
        switch (element.Command)
        {
            case CommandType.Ping:
                Command.WritePing(ref writer, Command.ReadUInt32(element.Payload));
                break;
            case CommandType.PostcopyAdvise when PostcopyAdvise.Read(element.Payload) is { } advise:
                advise.Write(ref writer);
                break;
            case CommandType.PostcopyRamDiscard:
                Command.WriteRamDiscard(ref writer, Command.ReadRamDiscard(element.Payload, element.Offset));
                break;
            case CommandType.RecvBitmap:
                Command.WriteRecvBitmap(ref writer, Command.ReadRecvBitmap(element.Payload, element.Offset));
                break;
            default:
                Command.Write(ref writer, element.Command, element.Payload);
                break;
        }
    }
}
