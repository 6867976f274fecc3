namespace Godwit.Migration.Multifd;

/// <summary>What a multifd channel of the source does with pages. All calls but <see cref="Shutdown"/> come from the channel's own thread.</summary>
internal interface IBatchWriter : IDisposable
{
    /// <summary>For people: <c>multifd channel 3</c>.</summary>
    string Name { get; }

    /// <summary>Bytes written so far. For any thread.</summary>
    long Bytes { get; }

    /// <summary>Writes the pages, or keeps them until <see cref="Flush"/>; zero ones are already found where that is the channel's affair.</summary>
    /// <exception cref="IOException">The connection broke, or the file can't be written.</exception>
    void Write(PageBatch batch);

    /// <summary>Writes what is kept: nothing more comes for a while.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    void Flush();

    /// <summary>All pages that came before are to be there before any that come later, whichever channel they take.</summary>
    /// <param name="remote">Whether the other side must be told.</param>
    /// <exception cref="IOException">The connection broke.</exception>
    void Synchronize(bool remote);

    /// <summary>Nothing more will be written; the other side should know that this is the end.</summary>
    void End();

    /// <summary>Ends it at once; blocked calls throw. For any thread.</summary>
    void Shutdown();
}
