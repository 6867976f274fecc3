// A moving guest keeps about one processor busy, on one side or the other, and a fault's test mostly waits: two go well side by side.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]
