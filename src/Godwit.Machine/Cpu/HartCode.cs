using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Godwit.Machine.Cpu;

/// <summary>The code that harts run in. Compiled only when it is called first, it would keep a guest that comes live standing for
/// longer than its last pages take.</summary>
internal static class HartCode
{
    private const string Trimmed = "What isn't there needs no compiling.";
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = Trimmed)]
    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = Trimmed)]
    public static void Compile()
    {
        foreach (var type in typeof(HartCode).Assembly.GetTypes())
        {
            if (type.Namespace?.StartsWith("Godwit.Machine.Cpu", StringComparison.Ordinal) != true || type.ContainsGenericParameters)
                continue;
            foreach (var method in type.GetMethods(All))
            {
                if (!method.IsAbstract && !method.ContainsGenericParameters)
                    RuntimeHelpers.PrepareMethod(method.MethodHandle);
            }
        }
    }
}
