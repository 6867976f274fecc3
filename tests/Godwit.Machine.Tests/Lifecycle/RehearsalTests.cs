using Godwit.Machine.Virt;

namespace Godwit.Machine.Tests.Lifecycle;

public sealed class RehearsalTests
{
    [Fact]
    public void A_machine_is_saved_and_lives_on_in_another() => Assert.True(Rehearsal.Run());
}
