# Makes the programs of this user (dclab, DCscope, DCOR-Aid) trust the DCOR server @HOST@,
# and tests the connection. Start with: powershell -ExecutionPolicy Bypass -File setup.ps1
# Undo with:                            powershell -ExecutionPolicy Bypass -File setup.ps1 -Remove
# -Quiet asks for no key at the end (for the distribution of software).
param([switch]$Remove, [switch]$Quiet)
$ErrorActionPreference = 'Stop'

$ServerName = '@HOST@'
$ServerUrl = '@URL@'
$Fingerprint = '@FINGERPRINT@'
$Variable = 'REQUESTS_CA_BUNDLE'
$Here = Split-Path -Parent $MyInvocation.MyCommand.Path
$Target = Join-Path $env:LOCALAPPDATA (Join-Path 'DCOR' $ServerName)
$Bundle = Join-Path $Target 'ca-bundle.pem'
$Present = [Environment]::GetEnvironmentVariable($Variable, 'User')

# Started with a click, the window would close before anybody has read it.
function Complete-Setup([int]$Code) {
    if (-not $Quiet) { Read-Host 'Press Enter to close' | Out-Null }
    exit $Code
}

if ($Remove) {
    if ($Present -eq $Bundle) { [Environment]::SetEnvironmentVariable($Variable, $null, 'User') }
    if (Test-Path $Target) { Remove-Item -Recurse -Force $Target }
    Write-Host 'Removed. Start your programs again.'
    Complete-Setup 0
}

# Another bundle that is in use already (a hospital's proxy, say) stays valid.
$Base = Join-Path $Here 'ca-bundle.pem'
if ($Present -and ($Present -ne $Bundle) -and (Test-Path $Present)) { $Base = $Present }
New-Item -ItemType Directory -Force -Path $Target | Out-Null
$Certificate = Get-Content -Raw (Join-Path $Here 'server.cert')
$Text = (Get-Content -Raw $Base) + "`n" + $Certificate
[IO.File]::WriteAllText($Bundle, $Text, (New-Object Text.UTF8Encoding($false)))
# dclab looks for certificates of single servers under their names.
Copy-Item -Force (Join-Path $Here 'server.cert') (Join-Path $Target "$ServerName.cert")
[Environment]::SetEnvironmentVariable($Variable, $Bundle, 'User')

Write-Host 'Set up for this user. SHA-256 fingerprint of the certificate, to compare with the administrator:'
Write-Host "  $Fingerprint"
Write-Host "Testing $ServerUrl ..."
# The name must lead to the server, and the server must show exactly the certificate that came with this script.
try {
    $Address = [Uri]$ServerUrl
    $Client = New-Object Net.Sockets.TcpClient($Address.Host, $Address.Port)
    $Script:Seen = ''
    $Callback = [Net.Security.RemoteCertificateValidationCallback]{
        param($Sender, $Shown, $Chain, $Errors)
        $Hash = [Security.Cryptography.SHA256]::Create().ComputeHash($Shown.GetRawCertData())
        $Script:Seen = ($Hash | ForEach-Object { $_.ToString('X2') }) -join ':'
        return $Script:Seen -eq $Fingerprint
    }
    $Stream = New-Object Net.Security.SslStream($Client.GetStream(), $false, $Callback)
    # Named, since Windows PowerShell 5.1 by itself offers versions that no server takes any more.
    $Stream.AuthenticateAsClient($Address.Host, $null, [Security.Authentication.SslProtocols]::Tls12, $false)
    $Stream.Dispose()
    $Client.Dispose()
    Write-Host 'The server answers and its certificate is valid. Start your programs again.'
} catch {
    if ($Script:Seen -and ($Script:Seen -ne $Fingerprint)) {
        Write-Host "The server shows another certificate: $($Script:Seen). Ask the administrator." -ForegroundColor Red
    } else {
        Write-Host "No connection: $($_.Exception.Message)" -ForegroundColor Red
    }
    Complete-Setup 1
}
Complete-Setup 0
