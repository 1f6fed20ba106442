# noctty: reads how this machine is, changes nothing. One JSON object comes out.
$ErrorActionPreference = 'SilentlyContinue'
$ProgressPreference = 'SilentlyContinue'
[Console]::OutputEncoding = [Text.Encoding]::UTF8
$t = [DateTimeOffset]::UtcNow.ToUnixTimeMilliseconds()
$o = Get-CimInstance Win32_OperatingSystem
$c = Get-CimInstance Win32_ComputerSystem
$p = Get-CimInstance Win32_PerfFormattedData_PerfOS_Processor -Filter "Name='_Total'"
$g = Get-CimInstance Win32_PageFileUsage
$d = Get-CimInstance Win32_LogicalDisk -Filter 'DriveType=3'
$s = Get-CimInstance Win32_Service -Filter "StartMode='Auto' AND State<>'Running' AND ExitCode<>0 AND ExitCode<>1077"
$h = Get-PhysicalDisk
$r = (Test-Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending'),
     (Test-Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired')
@{
  noctty = 1; time = $t
  name = $c.Name; system = $o.Caption; version = $o.Version; architecture = $o.OSArchitecture
  uptime = ($o.LocalDateTime - $o.LastBootUpTime).TotalSeconds -as [long]
  cores = $c.NumberOfLogicalProcessors; cpu = $p.PercentProcessorTime
  memory_kb = $o.TotalVisibleMemorySize; memory_free_kb = $o.FreePhysicalMemory
  page_mb = ($g | Measure-Object AllocatedBaseSize -Sum).Sum; page_used_mb = ($g | Measure-Object CurrentUsage -Sum).Sum
  disks = @($d | ForEach-Object { @{ name = $_.DeviceID; size = $_.Size; free = $_.FreeSpace } })
  services = if ($o) { @($s | ForEach-Object { $_.Name }) } else { $null }
  drives = @($h | ForEach-Object { @{ name = $_.FriendlyName; health = [string]$_.HealthStatus } })
  reboot = @($r) -contains $true
} | ConvertTo-Json -Depth 4 -Compress
