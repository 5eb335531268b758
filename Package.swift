// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// Every Swift target: Swift 6 language mode, unsafe constructs must be marked, warnings are errors.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let stubFlags: [CSetting] = [
    .unsafeFlags([
        "-ffreestanding", "-fno-stack-protector", "-fno-builtin", "-fPIC", "-O2", "-mno-red-zone", "-fcf-protection=none",
        "-fno-asynchronous-unwind-tables",
    ])
]

/// Release executables are static and position-independent: without a dynamic linker each of the three processes of a sandbox starts more than a
/// millisecond sooner, and the layout stays random.
let staticExecutable: [LinkerSetting] = [
    .unsafeFlags(["-static-executable", "-use-ld=lld", "-Xclang-linker", "-static-pie"], .when(configuration: .release))
]

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, exclude: readmes(name), swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// Documents in a module's folder, which the build must leave alone.
func readmes(_ name: String) -> [String] {
    let folder = Context.packageDirectory + "/Sources/" + name
    let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return files.filter { $0.hasSuffix(".md") }.sorted()
}

let package = Package(
    name: "stockade",
    products: [
        .executable(name: "sandbox-exec", targets: ["sandbox-exec"]),
        .executable(name: "stockade", targets: ["stockade"]),
        .executable(name: "stockade-sentry", targets: ["stockade-sentry"]),
        .executable(name: "stockade-gofer", targets: ["stockade-gofer"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        .target(name: "CHost", dependencies: ["CStub"], cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra"])]),
        .target(name: "CStub", cSettings: stubFlags),
        .target(
            name: "CConfine", cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra"])],
            linkerSettings: [.linkedLibrary("seccomp"), .linkedLibrary("cap")]),
        library("Confinement", ["CConfine", "HostOS", "LinuxABI"]),
        library("HostOS", ["CHost", "LinuxABI"]),
        library("LinuxABI", []),
        library("GoferProtocol", ["LinuxABI", "HostOS"]),
        library("Platform", ["HostOS", "LinuxABI", "CStub", "CHost"]),
        library("Memory", ["Platform", "HostOS", "LinuxABI"]),
        library("VirtualFileSystem", ["Memory", "HostOS", "LinuxABI"]),
        library("Kernel", ["VirtualFileSystem", "Memory", "Platform", "HostOS", "LinuxABI"]),
        library("Sockets", ["Kernel", "VirtualFileSystem", "Memory", "HostOS", "LinuxABI"]),
        library("FileSystems", ["Kernel", "VirtualFileSystem", "Memory", "HostOS", "LinuxABI", "GoferProtocol"]),
        library("Loader", ["Kernel", "VirtualFileSystem", "Memory", "Platform", "LinuxABI"]),
        library(
            "SystemCalls",
            ["Loader", "FileSystems", "Sockets", "Kernel", "VirtualFileSystem", "Memory", "Platform", "HostOS", "LinuxABI"]),
        library("SandboxControl", ["HostOS", "LinuxABI"]),
        .executableTarget(
            name: "stockade-sentry",
            dependencies: [
                "SystemCalls", "SandboxControl", "FileSystems", "Kernel", "Platform", "Memory", "Confinement", "HostOS", "LinuxABI",
            ],
            exclude: readmes("stockade-sentry"), swiftSettings: strict, linkerSettings: staticExecutable),
        .executableTarget(
            name: "stockade-gofer", dependencies: ["GoferProtocol", "Confinement", "HostOS", "LinuxABI"], swiftSettings: strict,
            linkerSettings: staticExecutable),
        .executableTarget(
            name: "sandbox-exec",
            dependencies: ["SandboxControl", "HostOS", "LinuxABI", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: strict, linkerSettings: staticExecutable),
        library("OCIRuntime", ["SandboxControl", "HostOS", "LinuxABI"]),
        .executableTarget(
            name: "stockade",
            dependencies: [
                "OCIRuntime", "SandboxControl", "HostOS", "LinuxABI", .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict, linkerSettings: staticExecutable),
        tests("OCIRuntimeTests", ["OCIRuntime", "SandboxControl", "Kernel", "HostOS", "LinuxABI"]),
        tests("FileSystemsTests", ["FileSystems", "Kernel", "VirtualFileSystem", "Memory", "HostOS", "LinuxABI"]),
        .executableTarget(
            name: "platform-probe", dependencies: ["Platform", "HostOS", "LinuxABI", "CHost"], path: "Benchmarks/PlatformProbe",
            swiftSettings: strict),
        tests("EndToEndTests", ["HostOS"]),
        tests("PlatformTests", ["Platform", "LinuxABI"]),
        tests("KernelTimeTests", ["Kernel", "VirtualFileSystem", "Memory", "HostOS", "LinuxABI"]),
        tests(
            "KernelTests",
            ["SystemCalls", "Loader", "FileSystems", "Kernel", "VirtualFileSystem", "Memory", "Platform", "HostOS", "LinuxABI"]),
        tests("SystemCallsTests", ["SystemCalls", "LinuxABI"]),
        tests("LoaderTests", ["Loader"]),
        tests("IPCTests", ["Sockets", "Kernel", "VirtualFileSystem", "Memory", "HostOS", "LinuxABI"]),
        tests("MemoryTests", ["Memory", "Platform", "HostOS", "LinuxABI"]),
        tests("GoferTests", ["GoferProtocol", "FileSystems", "VirtualFileSystem", "Memory", "HostOS", "LinuxABI", "stockade-gofer"]),
        tests("VirtualFileSystemTests", ["VirtualFileSystem", "Memory", "HostOS", "LinuxABI"]),
    ]
)
