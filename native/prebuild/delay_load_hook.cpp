// For Windows: lets the addon find Node-API in the program that loads it, whatever that program is called.
//
// The addon imports Node-API from node.exe, delayed: the linker's helper looks for the file at the first call. This hook answers with
// the running program instead (node.exe, electron.exe or a renamed one), or with the library that has Node in it.

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <cstring>

extern "C" {

#include <delayimp.h>

static FARPROC WINAPI find_node(unsigned event, PDelayLoadInfo info) {
  if (event != dliNotePreLoadLibrary || _stricmp(info->szDll, "node.exe") != 0) return nullptr;
  // Node built as a shared library.
  HMODULE host = GetModuleHandleW(L"libnode.dll");
  if (host == nullptr) host = GetModuleHandleW(nullptr);
  return reinterpret_cast<FARPROC>(host);
}

PfnDliHook __pfnDliNotifyHook2 = find_node;
}
