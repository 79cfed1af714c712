; An ordinary NSIS installer around one habit. Its seams (in at-signs) are filled by building.py, VERSION, PROGRAM, AGENT
; and OUTPUT are defined on the command line, NEW for the newer of two versions, FAILS for one that fails half-way.
Unicode true
Target amd64-unicode
Name "@TITLE@"
OutFile "${OUTPUT}"
InstallDir "@FOLDER@"
RequestExecutionLevel admin
SetCompressor zlib
!include LogicLib.nsh
!include StrFunc.nsh
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\@KEY@"
!define ENVIRONMENT "SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
!define SERVICES "SYSTEM\CurrentControlSet\Services"
@TOP@

Page instfiles
UninstPage instfiles

Section
  SetRegView 64
  SetShellVarContext @SHELL@
  @FIRST@
  ClearErrors
  SetOutPath "$INSTDIR"
  IfErrors refused
  SetOverwrite try
  File "/oname=$INSTDIR\ninja.exe" "${PROGRAM}"
  IfErrors refused
  WriteUninstaller "$INSTDIR\uninstall.exe"
  WriteRegStr @HIVE@ "${UNINSTALL}" "DisplayName" "@TITLE@"
  WriteRegStr @HIVE@ "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr @HIVE@ "${UNINSTALL}" "Publisher" "Ninja build"
  WriteRegStr @HIVE@ "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr @HIVE@ "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  @LAST@
  SetErrorLevel 0
  Return
refused:
  @REFUSED@
  SetErrorLevel 5
  Abort "${VERSION} could not write to $INSTDIR"
SectionEnd

Section "Uninstall"
  SetRegView 64
  SetShellVarContext @SHELL@
  @UNINSTALL_FIRST@
  Delete "$INSTDIR\ninja.exe"
  Delete "$INSTDIR\uninstall.exe"
  @UNINSTALL_LAST@
  RMDir "$INSTDIR"
  DeleteRegKey @HIVE@ "${UNINSTALL}"
SectionEnd
