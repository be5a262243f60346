// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
]

let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "pagefs",
    products: [.executable(name: "pagefs", targets: ["pagefs"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
    ],
    // Each target may import only those above it.
    targets: [
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CFuse3", pkgConfig: "fuse3", providers: [.apt(["libfuse3-dev"])]),
        .target(name: "CCredentials"),
        .target(name: "Syscalls", dependencies: ["CCredentials", "CLinux", systemPackage], swiftSettings: strict),
        .target(name: "ProcModel", swiftSettings: strict),
        .target(name: "ProcText", dependencies: ["ProcModel"], swiftSettings: strict),
        .target(
            name: "ProcSource", dependencies: ["CLinux", "Syscalls", "ProcModel", systemPackage], swiftSettings: strict),
        .target(
            name: "MemoryTree", dependencies: ["ProcModel", "ProcText", "ProcSource", "Syscalls", systemPackage],
            swiftSettings: strict),
        .target(
            name: "FuseBridge",
            dependencies: ["CFuse3", "MemoryTree", "ProcModel", "ProcSource", "Syscalls", systemPackage, logging],
            swiftSettings: strict),
        .executableTarget(
            name: "pagefs",
            dependencies: ["FuseBridge", "MemoryTree", "ProcSource", "Syscalls", arguments, logging, systemPackage],
            swiftSettings: strict),
        // A daemon that the tests of access mount; no part of what is installed.
        .executableTarget(
            name: "without-rule", dependencies: ["FuseBridge", "MemoryTree", "ProcSource", "Syscalls", logging],
            path: "Tests/WithoutRule", swiftSettings: strict),
        .testTarget(name: "ProcModelTests", dependencies: ["ProcModel"], swiftSettings: strict),
        .testTarget(name: "ProcTextTests", dependencies: ["ProcModel", "ProcText"], swiftSettings: strict),
        .testTarget(
            name: "ProcSourceTests", dependencies: ["ProcSource", "Syscalls", systemPackage], swiftSettings: strict),
        .testTarget(
            name: "MemoryTreeTests",
            dependencies: ["CLinux", "MemoryTree", "ProcModel", "ProcSource", "ProcText", "Syscalls", systemPackage],
            swiftSettings: strict),
        .testTarget(
            name: "FuseBridgeTests",
            dependencies: ["CFuse3", "FuseBridge", "MemoryTree", "ProcModel", "ProcSource", "Syscalls", systemPackage],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
