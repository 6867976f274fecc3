using Godwit.Migration.Channels;
using Godwit.Wire.Stream;

namespace Godwit.Migration.Source;

internal sealed partial class OutgoingMigration
{
    private int _acksAwaited;

    private void Switchover(StreamOutput output, DeviceStream devices)
    {
        CountBytes(output.Position, _machine.IsGuestRunning);
        ThrowIfBroken();
        _downtimeStarted = Environment.TickCount64;
        _stopped = true;
        _machine.StopForSwitchover();
        if (_capabilities["pause-before-switchover"])
            WaitForContinue();
        Move(MigrationStatus.Device);
        var writer = output.Writer(Command.HeaderLength);
        Command.Write(ref writer, CommandType.SwitchoverStart, []);
        output.Put(writer);
        _ram!.Synchronize();
        _live!.Pending(exact: true, out var acks);
        if (acks > 0)
            throw new InvalidOperationException($"Switchover ACK was requested by {acks} devices during switchover");
        _ram.SendEnd(() => { ThrowIfBroken(); return false; });
        CountBytes(output.Position, guestRuns: false);
        _counted = long.MaxValue;
        _live.Complete();
        // QEMU numbers sections as they are registered: the clock, memory, the dirty bitmaps of disks, then all others.
        for (var n = 0; n < _machine.Devices.Count; n++)
        {
            if (_machine.Devices[n].IsNeeded)
                devices.Put(_machine.Devices[n], n == 0 ? 0 : _live.NextId + (uint)n - 1);
        }

        // All but the end leaves first: what breaks up to here leaves no doubt about who has the guest.
        output.Flush();
        while (!TryHandOver())
            ThrowIfBroken();
        devices.PutEnd();
        output.Flush();
        _ram.Counters.Transferred = Sent(output);
    }

    /// <summary>From here on a break leaves the guest to the destination.</summary>
    /// <returns>False: something is broken already. What waits for the return path's thread to tell it must not hold the lock, which that thread takes.</returns>
    private bool TryHandOver()
    {
        lock (_lock)
            return _handedOver = !IsBroken;
    }

    /// <summary>Source: QEMU migration/migration.c, migration_can_switchover.</summary>
    private bool MaySwitchOver()
    {
        bool approved;
        lock (_lock)
            approved = _acksAwaited == 0;
        return approved || !_machine.IsGuestRunning;
    }

    /// <summary>One that nobody waits for is QEMU's before 11.1, which sends it unasked.</summary>
    private void Acknowledge()
    {
        lock (_lock)
        {
            if (_acksAwaited == 0)
                return;
            _acksAwaited--;
        }

        _wake.Set();
    }

    private void WaitForContinue()
    {
        _continued = false;
        Move(MigrationStatus.PreSwitchover);
        while (!_continued)
        {
            if (_cancelled)
                _error = "Switchover is interrupted";
            ThrowIfBroken();
            _wake.Wait();
            _wake.Reset();
        }
    }

    private void WaitForDestination(Channel channel)
    {
        channel.CloseWrite();
        _multifd?.End();
        if (_returnPath is not null)
            _returnPath.WaitForShut();
        else
            channel.WaitForPeer();
    }

    private void Finish(Exception? failure)
    {
        try
        {
            _convergence?.End();
            if (failure is not null && (_handedOver || _multifd is not null))
            {
                // What the destination said before the connection broke may still lie here unread.
                _channel?.Shutdown();
                _returnPath?.Join();
            }

            bool taken;
            lock (_lock)
                taken = _handedOver && _returnPath?.IsRefused != true;
            if (failure is not null)
                CloseAfterFailure(failure);
            if (taken)
                _machine.HandOver();
            else if (_stopped)
                _machine.TakeBack();
        }
        catch (Exception e)
        {
            failure ??= e;
            _error ??= e.Message;
        }

        if (_live?.Cleanup() is { } left)
            _error ??= $"a live section failed to be cleaned up: {left.Message}";
        _multifd?.Dispose();
        _mapped?.Dispose();
        _ram?.Dispose();
        _channel?.Dispose();
        _returnPath?.Join();
        var now = Environment.TickCount64;
        _totalTime = now - _started;
        _downtime = now - _downtimeStarted;
        lock (_lock)
        {
            if (failure is null)
                Set(MigrationStatus.Completed);
            else
                Set(_status == MigrationStatus.Cancelling ? MigrationStatus.Cancelled : MigrationStatus.Failed);
            _finished = true;
        }
    }

    private void CloseAfterFailure(Exception failure)
    {
        var description = Describe(failure);
        lock (_lock)
        {
            if (_status != MigrationStatus.Cancelling)
            {
                _error = description;
                Set(MigrationStatus.Failing);
            }
        }

        _channel?.Shutdown();
    }

    /// <summary>A broken connection tells less than the destination's own word.</summary>
    private string Describe(Exception failure)
    {
        if (_cancelled)
            return "cancelled while the destination was taking the guest: it may have it";
        try
        {
            if (_returnPath is { IsRefused: true })
                _returnPath.WaitForShut();
        }
        catch (IOException e)
        {
            return e.Message;
        }

        return _multifd?.Failure is { } broken and not OperationCanceledException ? broken.Message : failure.Message;
    }
}
