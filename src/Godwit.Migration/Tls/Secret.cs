using System.Security.Cryptography;
using System.Text;

namespace Godwit.Migration.Tls;

/// <summary>An object <c>secret</c> (QEMU: crypto/secret.c, crypto/secret_common.c).</summary>
/// <param name="Id">For messages.</param>
internal sealed record Secret(string Id, byte[] Bytes)
{
    /// <summary>The properties <c>data</c> or <c>file</c>, <c>format</c>, and for an encrypted one <c>keyid</c> and <c>iv</c>.</summary>
    /// <exception cref="MigrationRefusedException">They don't make one.</exception>
    public static Secret Create(string id, ObjectProperties properties, Func<string, Secret> find)
    {
        var data = properties.Text("data");
        var file = properties.Text("file");
        var base64 = properties.Choice("format", ["raw", "base64"]) == 1;
        var key = properties.Text("keyid");
        var vector = properties.Text("iv");
        properties.Finish();
        var bytes = Load(data, file);
        if (base64)
            bytes = Decode(Encoding.UTF8.GetString(bytes));
        return new Secret(id, key is null ? bytes : Decrypt(bytes, find(key).Bytes, vector));
    }

    /// <exception cref="MigrationRefusedException">It is no text.</exception>
    public string Text()
    {
        try
        {
            return new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(Bytes);
        }
        catch (ArgumentException)
        {
            throw new MigrationRefusedException($"Data from secret {Id} is not valid UTF-8");
        }
    }

    private static byte[] Load(string? data, string? file)
    {
        if (file is null)
            return Encoding.UTF8.GetBytes(data ?? throw new MigrationRefusedException("Either 'file' or 'data' must be provided"));
        if (data is not null)
            throw new MigrationRefusedException("'file' and 'data' are mutually exclusive");
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new MigrationRefusedException($"Unable to read {file}: Failed to open file “{file}”: {(e is UnauthorizedAccessException ? "Permission denied" : e is FileNotFoundException or DirectoryNotFoundException ? "No such file or directory" : e.Message)}");
        }
    }

    private static byte[] Decode(string text)
    {
        try
        {
            return Convert.FromBase64String(text);
        }
        catch (FormatException)
        {
            throw new MigrationRefusedException("Base64 data contains invalid characters");
        }
    }

    private static byte[] Decrypt(byte[] bytes, byte[] key, string? vector)
    {
        TlsLibrary.Require();
        if (key.Length != 32)
            throw new MigrationRefusedException("Key should be 32 bytes in length");
        var iv = Decode(vector ?? throw new MigrationRefusedException("IV is required to decrypt secret"));
        if (iv.Length != 16)
            throw new MigrationRefusedException($"IV should be 16 bytes in length not {iv.Length}");
        using var aes = Aes.Create();
        aes.Key = key;
        try
        {
            return aes.DecryptCbc(bytes, iv);
        }
        catch (CryptographicException e)
        {
            throw new MigrationRefusedException($"The secret can't be decrypted: {e.Message}");
        }
    }
}
