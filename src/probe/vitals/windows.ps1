# noctty: reads how this machine is, changes nothing. One JSON object comes out, in ASCII whatever the code page is.
$ErrorActionPreference = 'SilentlyContinue'
$ProgressPreference = 'SilentlyContinue'
$t = [DateTimeOffset]::UtcNow.ToUnixTimeMilliseconds()
$o = Get-CimInstance Win32_OperatingSystem
$c = Get-CimInstance Win32_ComputerSystem
$p = Get-CimInstance Win32_PerfFormattedData_PerfOS_Processor -Filter "Name='_Total'"
$g = Get-CimInstance Win32_PageFileUsage
$d = @(Get-CimInstance Win32_LogicalDisk -Filter 'DriveType=3')
$v = @(Get-CimInstance Win32_Volume -Filter 'DriveType=3 AND DriveLetter IS NULL' | Where-Object { $_.Name -notlike '\\?\*' })
$s = @(Get-CimInstance Win32_Service -Filter "StartMode='Auto' AND State<>'Running' AND ExitCode<>0 AND ExitCode<>1077" -ErrorVariable denied)
$h = @(Get-PhysicalDisk)
$u = if ($o.LastBootUpTime) { ([DateTime]::UtcNow - $o.LastBootUpTime.ToUniversalTime()).TotalSeconds -as [long] }
$r = (Test-Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending'),
     (Test-Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired')
$m = @{
  noctty = 1; time = $t; uptime = $u
  name = $c.Name; system = $o.Caption; version = $o.Version; architecture = $o.OSArchitecture
  cores = $c.NumberOfLogicalProcessors; cpu = $p.PercentProcessorTime
  memory_kb = $o.TotalVisibleMemorySize; memory_free_kb = $o.FreePhysicalMemory
  page_mb = ($g | Measure-Object AllocatedBaseSize -Sum).Sum; page_used_mb = ($g | Measure-Object CurrentUsage -Sum).Sum
  disks = @($d | ForEach-Object { @{ name = $_.DeviceID; size = $_.Size; free = $_.FreeSpace } }) +
          @($v | ForEach-Object { @{ name = $_.Name; size = $_.Capacity; free = $_.FreeSpace } })
  services = @($s | ForEach-Object { $_.Name })
  drives = @($h | ForEach-Object { @{ name = $_.FriendlyName; health = [string]$_.HealthStatus } })
  reboot = $r -contains $true
}
if (-not $o -or $denied) { $m.services = $null }
$j = $m | ConvertTo-Json -Depth 4 -Compress
try { $j = [regex]::Replace($j, '[^ -~]', { '\u{0:x4}' -f [int][char]$args[0].Value }) } catch { }
$j
