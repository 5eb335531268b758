import Testing

@testable import OCIRuntime

/// Which control-group files a configuration means.
struct ControlGroupTests {
    @Test func hierarchiesComeFromTheMounts() {
        let text = """
            24 1 0:20 / /sys/fs/cgroup rw - tmpfs tmpfs rw
            25 24 0:21 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct
            26 24 0:22 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
            27 24 0:23 / /sys/fs/cgroup/unified rw shared:4 - cgroup2 cgroup2 rw
            """
        let found = ControlGroups.hierarchies(mountInformation: text)
        #expect(found.map(\.mountPoint) == ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/unified"])
        #expect(found.map(\.isUnified) == [false, true])
        #expect(found[0].controllers == ["cpu", "cpuacct"])
    }

    @Test func pathsStayInTheHierarchy() {
        #expect(ControlGroups.relativePath(nil, id: "x", systemd: false) == "/stockade/x")
        #expect(ControlGroups.relativePath("/a/b", id: "x", systemd: false) == "/a/b")
        #expect(ControlGroups.relativePath("a", id: "x", systemd: false) == "/stockade/a")
        #expect(ControlGroups.relativePath("user.slice:pod:1", id: "x", systemd: true) == "/user.slice/pod-1.scope")
        #expect(ControlGroups.relativePath(":pod:1", id: "x", systemd: true) == "/system.slice/pod-1.scope")
    }

    @Test func resourcesHaveFilesInBothVersions() throws {
        let text = """
            {"memory": {"limit": 1048576, "swap": 2097152}, "cpu": {"shares": 1024, "quota": 50000, "period": 100000}, "pids": {"limit": 5}}
            """
        let resources: RuntimeSpec.Resources = try SpecJSON.decode(Array(text.utf8), "resources")
        let settings = ControlGroups.settings(resources)
        #expect(settings.map(\.field) == ["memory.limit", "memory.swap", "cpu.shares", "cpu.quota"].map { "linux.resources." + $0 })
        #expect(settings[0].legacy.map(\.file) == ["memory.limit_in_bytes"] && settings[0].unified.map(\.value) == ["1048576"])
        // Version 2 counts swap alone.
        #expect(settings[1].legacy.map(\.value) == ["2097152"] && settings[1].unified.map(\.value) == ["1048576"])
        #expect(settings[2].unified.map(\.value) == ["39"])
        #expect(settings[3].unified.map(\.value) == ["50000 100000"])
    }
}
