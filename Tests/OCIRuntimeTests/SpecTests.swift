import Testing

@testable import OCIRuntime

/// Parsing and validation of config.json.
struct SpecTests {
    static let minimal = """
        {"ociVersion": "1.0.2", "process": {"args": ["sh"], "cwd": "/", "user": {"uid": 1, "gid": 2}}, "root": {"path": "rootfs"}}
        """

    private func spec(_ text: String) throws -> RuntimeSpec { try SpecJSON.decode(Array(text.utf8), "config.json") }

    /// The minimal configuration with one fragment more.
    private func problems(_ fragment: String, process: String = "") throws -> SpecProblems {
        let text = """
            {"ociVersion": "1.0.2", "process": {"args": ["sh"], "cwd": "/" \(process.isEmpty ? "" : ", " + process)}, "root": {"path": "rootfs"}
            \(fragment.isEmpty ? "" : ", " + fragment)}
            """
        return try spec(text).problems()
    }

    @Test func minimalConfigurationHasNoProblems() throws {
        #expect(try spec(Self.minimal).problems() == SpecProblems())
    }

    @Test func unknownFieldsAreIgnored() throws {
        #expect(try problems("\"newField\": {\"a\": [1]}").errors.isEmpty)
    }

    @Test func wrongTypesNameTheField() {
        let text = "{\"ociVersion\": \"1.0.2\", \"process\": {\"args\": \"sh\"}}"
        #expect { try spec(text) } throws: { error in "\(error)".contains("process.args") }
    }

    @Test func textThatIsNoJSONIsRefused() {
        for text in ["", "{", "[1,2", "nonsense", "{\"ociVersion\": }"] {
            #expect(throws: RuntimeError.self) { try spec(text) }
        }
    }

    @Test(arguments: ["2.0.0", "0.9.0", "1", "1.0", "x.y.z", ""])
    func versionsBesidesOneAreRefused(_ version: String) throws {
        let text = Self.minimal.replacing("1.0.2", with: version)
        #expect(try spec(text).problems().errors.contains { $0.hasPrefix("ociVersion") })
    }

    @Test(arguments: ["1.0.0", "1.0.2-dev", "1.2.1+build"])
    func versionsOfOneAreTaken(_ version: String) throws {
        #expect(try spec(Self.minimal.replacing("1.0.2", with: version)).problems().errors.isEmpty)
    }

    @Test func whatIsMissingIsNamed() throws {
        let errors = try spec("{\"ociVersion\": \"1.0.2\"}").problems().errors
        #expect(errors.contains { $0.hasPrefix("process") })
        #expect(errors.contains { $0.hasPrefix("root.path") })
    }

    @Test func relativeWorkingDirectoryIsRefused() throws {
        let text = Self.minimal.replacing("\"cwd\": \"/\"", with: "\"cwd\": \"tmp\"")
        #expect(try spec(text).problems().errors.contains { $0.hasPrefix("process.cwd") })
    }

    @Test(arguments: ["uid", "gid"]) func usersAreInRange(_ field: String) throws {
        #expect(try problems("", process: "\"user\": {\"\(field)\": 2147483647}").errors.isEmpty)
        let errors = try problems("", process: "\"user\": {\"\(field)\": 2147483648}").errors
        #expect(errors.count == 1 && errors.allSatisfy { $0.hasPrefix("process.user.\(field): 2147483648") })
    }

    @Test(arguments: ["\"uid\": 10", "\"gid\": 10", "\"additionalGids\": [1, 10]"]) func usersAreMapped(_ user: String) throws {
        let mappings = "[{\"containerID\": 0, \"hostID\": 1000, \"size\": 10}]"
        let linux = "\"linux\": {\"namespaces\": [{\"type\": \"user\"}], \"uidMappings\": \(mappings), \"gidMappings\": \(mappings)}"
        #expect(try problems(linux, process: "\"user\": {\"uid\": 9, \"gid\": 9, \"additionalGids\": [9]}").errors.isEmpty)
        let errors = try problems(linux, process: "\"user\": {\(user)}").errors
        #expect(errors.count == 1 && errors.allSatisfy { $0.contains("10 is not in linux.") })
    }

    @Test func settingsReachTheSandbox() throws {
        let text = Self.minimal.replacing("\"root\"", with: "\"linux\": {\"sysctl\": {\"net.ipv4.ping_group_range\": \"0 0\"}}, \"root\"")
        let settings = try spec(text).sandboxConfiguration(rootPath: "/r", bundle: "/b").container?.settings
        #expect(settings == [.init(name: Array("net/ipv4/ping_group_range".utf8), value: Array("0 0".utf8))])
    }

    @Test func limitsMustBeKnownAndSingle() throws {
        let once = "{\"type\": \"RLIMIT_CORE\", \"soft\": 1, \"hard\": 2}"
        #expect(try problems("", process: "\"rlimits\": [\(once)]").errors.isEmpty)
        #expect(try !problems("", process: "\"rlimits\": [\(once), \(once)]").errors.isEmpty)
        #expect(try !problems("", process: "\"rlimits\": [{\"type\": \"RLIMIT_X\", \"soft\": 1, \"hard\": 2}]").errors.isEmpty)
        #expect(try !problems("", process: "\"rlimits\": [{\"type\": \"RLIMIT_CORE\", \"soft\": 3, \"hard\": 2}]").errors.isEmpty)
    }

    @Test func namespacesAreKnownAndSingle() throws {
        #expect(try problems("\"linux\": {\"namespaces\": [{\"type\": \"pid\"}, {\"type\": \"mount\"}]}").errors.isEmpty)
        #expect(try !problems("\"linux\": {\"namespaces\": [{\"type\": \"pid\"}, {\"type\": \"pid\"}]}").errors.isEmpty)
        #expect(try !problems("\"linux\": {\"namespaces\": [{\"type\": \"nonsense\"}]}").errors.isEmpty)
        #expect(try !problems("\"linux\": {\"namespaces\": [{\"type\": \"network\", \"path\": \"relative\"}]}").errors.isEmpty)
    }

    @Test func joiningANamespaceIsAWarning() throws {
        let found = try problems("\"linux\": {\"namespaces\": [{\"type\": \"network\", \"path\": \"/proc/1/ns/net\"}]}")
        #expect(found.errors.isEmpty && found.warnings.count == 1)
    }

    @Test(arguments: [
        "\"linux\": {\"seccomp\": {\"defaultAction\": \"SCMP_ACT_NOTIFY\"}}", "\"linux\": {\"mountLabel\": \"x\"}",
        "\"linux\": {\"intelRdt\": {}}", "\"linux\": {\"rootfsPropagation\": \"sideways\"}", "\"linux\": {\"maskedPaths\": [\"relative\"]}",
        "\"linux\": {\"uidMappings\": [{\"containerID\": 0, \"hostID\": 1000, \"size\": 10}]}",
        "\"linux\": {\"devices\": [{\"path\": \"/dev/x\", \"type\": \"z\"}]}", "\"linux\": {\"sysctl\": {\"../x\": \"1\"}}",
        "\"linux\": {\"cgroupsPath\": \"/a/../b\"}", "\"mounts\": [{\"destination\": \"relative\", \"type\": \"tmpfs\"}]",
        "\"mounts\": [{\"destination\": \"/x\", \"options\": [\"bind\"]}]", "\"hooks\": {\"prestart\": [{\"path\": \"relative\"}]}",
        "\"hooks\": {\"poststop\": [{\"path\": \"/bin/true\", \"timeout\": 0}]}",
    ])
    func whatCannotBeHonouredIsAnError(_ fragment: String) throws {
        let found = try problems(fragment)
        #expect(!found.errors.isEmpty)
    }

    @Test func labelsOfTheProcessAreErrors() throws {
        #expect(try !problems("", process: "\"selinuxLabel\": \"x\"").errors.isEmpty)
        #expect(try !problems("", process: "\"apparmorProfile\": \"mine\"").errors.isEmpty)
        #expect(try problems("", process: "\"apparmorProfile\": \"docker-default\"").errors.isEmpty)
    }

    @Test func capabilitiesBecomeBits() throws {
        let text = Self.minimal.replacing(
            "\"cwd\"", with: "\"capabilities\": {\"bounding\": [\"CAP_CHOWN\", \"CAP_KILL\", \"CAP_NEW\"], \"effective\": []}, \"cwd\"")
        let parsed = try spec(text)
        #expect(parsed.process?.processConfiguration().capabilities.bounding == 1 << 0 | 1 << 5)
        #expect(parsed.problems().warnings.count == 1)
    }

    @Test func translationKeepsOrderAndOptionsOfMounts() throws {
        let fragment = """
            "mounts": [{"destination": "/a//b/", "type": "bind", "source": "rel", "options": ["rbind", "ro", "nosuid"]},
            {"destination": "/t", "type": "tmpfs", "source": "tmpfs", "options": ["noexec", "size=1m", "mode=700"]}]
            """
        let text = String(Self.minimal.dropLast(1)) + ", " + fragment + "}"
        let configuration = try spec(text).sandboxConfiguration(rootPath: "/r", bundle: "/bundle")
        let container = try #require(configuration.container)
        #expect(configuration.binds.map { String(decoding: $0.source, as: UTF8.self) } == ["/bundle/rel"])
        #expect(configuration.binds.map(\.isWritable) == [false])
        #expect(container.mounts.map { String(decoding: $0.destination, as: UTF8.self) } == ["/a/b", "/t"])
        #expect(container.mounts.map(\.flags) == [3, 8])
        #expect(container.mounts.map(\.bind) == [0, nil])
        #expect(String(decoding: container.mounts[1].options, as: UTF8.self) == "size=1m,mode=700")
        #expect(container.process.uid == 1 && container.process.gid == 2)
        #expect(configuration.isRootWritable)
    }

    @Test func laterMountOptionsWin() {
        #expect(MountOptions(["ro", "rw"]).flags == 0)
        #expect(MountOptions(["rw", "ro", "nodev", "dev"]).flags == 1)
        #expect(MountOptions(["relatime", "strictatime"]).flags == 0)
        #expect(MountOptions(["tmpcopyup", "rshared"]).ignored == ["tmpcopyup", "rshared"])
    }
}
