using Godwit.Linux;
using Godwit.Memory;
using Godwit.Migration.Multifd;
using Microsoft.Win32.SafeHandles;

namespace Godwit.Migration.MappedRam;

/// <summary>Writes pages to their places in a file, those that follow one another by one call. Source: QEMU migration/file.c, file_write_ramblock_iov.</summary>
/// <param name="file">Goes with this where <paramref name="owns"/> says so.</param>
internal sealed class MappedRamWriter(SafeFileHandle file, bool owns, MappedRamLayout layout, string name) : IBatchWriter
{
    private readonly GatherBuffer _gather = new();
    private long _bytes;
    private volatile bool _shut;

    public string Name => name;

    public long Bytes => Volatile.Read(ref _bytes);

    public void Write(PageBatch batch)
    {
        foreach (var offset in batch.Zeros)
            layout.Clear(batch.Block!, offset);
        var next = ulong.MaxValue;
        var at = 0L;
        foreach (var offset in batch.Pages)
        {
            var place = layout.Put(batch.Block!, offset);
            if (offset != next)
            {
                Write(at);
                at = place;
            }

            batch.Block!.AddTo(_gather, offset, GuestPage.Size);
            next = offset + GuestPage.Size;
        }

        Write(at);
    }

    public void Flush()
    {
        // Nothing is kept.
    }

    public void Synchronize(bool remote)
    {
        // What was written is there for whoever writes next.
    }

    public void End()
    {
        // Nobody waits at the other end.
    }

    public void Shutdown() => _shut = true;

    public void Dispose()
    {
        if (owns)
            file.Dispose();
        _gather.Dispose();
    }

    private void Write(long at)
    {
        if (_gather.Length == 0)
            return;
        if (_shut)
            throw new OperationCanceledException();
        _gather.WriteTo(file, at, name);
        Volatile.Write(ref _bytes, _bytes + _gather.Length);
        _gather.Clear();
    }
}
