# The native addon: the real Steam behind hotmic/steam. node-gyp compiles it with the compiler of the machine; native/prebuild/ reads
# its sources and defines from here, too, and cross-compiles it. Needs no header and no library of Valve's.
{
  "targets": [
    {
      "target_name": "hotmic",
      "sources": [
        "native/src/addon.cpp",
        "native/src/steam_core.cpp",
        "native/src/steam_dispatch.cpp",
        "native/src/steam_library.cpp",
        "native/src/steam_tickets.cpp",
        "native/src/steam_voice.cpp"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": [
        "NAPI_VERSION=8",
        "NODE_ADDON_API_CPP_EXCEPTIONS_ALL",
        # A worker that is being terminated takes no exception any more: what cannot be thrown ends in the addon.
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
        "NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED",
        "NODE_ADDON_API_DISABLE_DEPRECATED"
      ],
      "conditions": [
        ["OS=='linux'", {
          "cflags!": ["-O3"],
          "cflags_cc!": ["-fno-exceptions", "-O3"],
          "cflags_cc": ["-std=c++17", "-fexceptions", "-fvisibility=hidden", "-ffunction-sections", "-O2", "-Wall", "-Wextra"],
          "ldflags": ["-Wl,--gc-sections", "-Wl,--version-script=../native/src/exports.map"],
          "libraries": ["-ldl"]
        }],
        ["OS=='mac'", {
          "xcode_settings": {
            "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
            "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
            "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
            "CLANG_CXX_LIBRARY": "libc++",
            "GCC_OPTIMIZATION_LEVEL": "2",
            "MACOSX_DEPLOYMENT_TARGET": "11.0"
          }
        }],
        ["OS=='win'", {
          # Node's own headers turn the standard library's exceptions off.
          "defines!": ["_HAS_EXCEPTIONS=0"],
          "defines": ["_HAS_EXCEPTIONS=1"],
          "msvs_settings": {
            "VCCLCompilerTool": { "ExceptionHandling": 1, "AdditionalOptions": ["/std:c++17", "/utf-8"] }
          }
        }]
      ]
    }
  ]
}
