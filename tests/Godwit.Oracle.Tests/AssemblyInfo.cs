// Machines under emulation need the processor: two at a time would only slow each other down.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
