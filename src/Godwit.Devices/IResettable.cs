namespace Godwit.Devices;

/// <summary>What a reset of the machine reaches.</summary>
public interface IResettable
{
    /// <summary>Puts it where it is after power-on; with the machine's lock held.</summary>
    void Reset();
}
