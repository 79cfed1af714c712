; A program that goes on for ten minutes and shows nothing: what an installer may start and forget.
Unicode true
Target amd64-unicode
Name "Agent"
OutFile "${OUTPUT}"
RequestExecutionLevel user
SilentInstall silent
Section
  Sleep 600000
SectionEnd
