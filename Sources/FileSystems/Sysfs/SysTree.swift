/// The names of sysfs and what stands in the files.
enum SysTree {
    static func entries(processors: Int, memoryBytes: UInt64) -> [SyntheticTreeEntry] {
        [
            .directory("block"),
            .directory("bus", [.directory("cpu", [.directory("devices")]), .directory("pci", [.directory("devices")])]),
            .directory(
                "class",
                [
                    .directory("block"), .directory("bdi"), .directory("hwmon"), .directory("mem"), .directory("misc"),
                    .directory("net", [.link("lo", "../../devices/virtual/net/lo")]), .directory("power_supply"),
                    .directory("thermal"), .directory("tty"),
                ]),
            .directory("dev", [.directory("block"), .directory("char")]),
            .directory(
                "devices",
                [
                    .directory(
                        "system",
                        [
                            .directory("cpu", processorEntries(processors)),
                            .directory("node", nodeEntries(processors, memoryBytes)),
                        ]),
                    .directory("virtual", [.directory("net", [.directory("lo", loopback)])]),
                ]),
            .directory("firmware"),
            .directory("fs", [.directory("cgroup")]),
            .directory("kernel", kernel),
            .directory("module"),
            .directory("power"),
        ]
    }

    // MARK: processors

    private static func processorEntries(_ count: Int) -> [SyntheticTreeEntry] {
        let all = ProcessorMask(first: count)
        var entries: [SyntheticTreeEntry] = (0..<count).map { index in
            .directory("cpu\(index)", [.directory("topology", topology(index, all)), .link("node0", "../../node/node0")])
        }
        entries += [
            .text("enabled", all.list), .text("isolated", ""), .text("kernel_max", "\(max(255, count - 1))"),
            .text("offline", ""),
            .text("online", all.list), .text("possible", all.list), .text("present", all.list),
            .directory("vulnerabilities"),
        ]
        return entries
    }

    /// One package; a core of its own for each processor.
    private static func topology(_ index: Int, _ all: ProcessorMask) -> [SyntheticTreeEntry] {
        let own = ProcessorMask(only: index, of: all.count)
        return [
            .text("cluster_cpus", own.hex), .text("cluster_cpus_list", own.list), .text("cluster_id", "65535"),
            .text("core_cpus", own.hex), .text("core_cpus_list", own.list), .text("core_id", "\(index)"),
            .text("core_siblings", all.hex), .text("core_siblings_list", all.list), .text("die_cpus", all.hex),
            .text("die_cpus_list", all.list), .text("die_id", "0"), .text("package_cpus", all.hex),
            .text("package_cpus_list", all.list), .text("physical_package_id", "0"), .text("thread_siblings", own.hex),
            .text("thread_siblings_list", own.list),
        ]
    }

    // MARK: memory

    private static func nodeEntries(_ processors: Int, _ memoryBytes: UInt64) -> [SyntheticTreeEntry] {
        let all = ProcessorMask(first: processors)
        let links: [SyntheticTreeEntry] = (0..<processors).map { .link("cpu\($0)", "../../cpu/cpu\($0)") }
        return [
            .text("has_cpu", "0"), .text("has_memory", "0"), .text("has_normal_memory", "0"),
            .directory(
                "node0",
                links + [
                    .text("cpulist", all.list), .text("cpumap", all.hex), .text("distance", "10"),
                    .file("meminfo", ConstantContent(nodeMemory(memoryBytes))),
                ]),
            .text("online", "0"), .text("possible", "0"),
        ]
    }

    private static func nodeMemory(_ bytes: UInt64) -> [UInt8] {
        var text = TextBuilder()
        for (name, value) in [
            ("MemTotal", bytes / 1024), ("MemFree", bytes / 1024), ("MemUsed", 0), ("SwapCached", 0), ("Active", 0),
            ("Inactive", 0),
        ] {
            text.text("Node 0 \(name):")
            for _ in 0..<max(0, 15 - name.utf8.count) { text.space() }
            text.decimal(value, width: 8)
            text.line(" kB")
        }
        for name in ["HugePages_Total", "HugePages_Free", "HugePages_Surp"] {
            text.text("Node 0 \(name):")
            for _ in 0..<max(0, 16 - name.utf8.count) { text.space() }
            text.line("    0")
        }
        return text.bytes
    }

    // MARK: kernel

    /// Guest memory lies in a memory file, which the host does not back with huge pages on its own: never.
    private static var kernel: [SyntheticTreeEntry] {
        [
            .text("address_bits", "64"), .text("cpu_byteorder", "little"),
            .directory("debug"),
            .directory(
                "mm",
                [
                    .directory("hugepages"),
                    .directory(
                        "transparent_hugepage",
                        [
                            .text("defrag", "always defer defer+madvise madvise [never]", 0o644),
                            .text("enabled", "always madvise [never]", 0o644), .text("hpage_pmd_size", "2097152"),
                            .text("shmem_enabled", "always within_size advise [never] deny force", 0o644),
                            .text("use_zero_page", "0", 0o644),
                        ]),
                ]),
            .text("profiling", "0", 0o644), .directory("security"), .directory("tracing"),
        ]
    }

    // MARK: network

    private static var loopback: [SyntheticTreeEntry] {
        let counters = [
            "collisions", "multicast", "rx_bytes", "rx_compressed", "rx_crc_errors", "rx_dropped", "rx_errors", "rx_fifo_errors",
            "rx_frame_errors", "rx_length_errors", "rx_missed_errors", "rx_nohandler", "rx_over_errors", "rx_packets",
            "tx_aborted_errors", "tx_bytes", "tx_carrier_errors", "tx_compressed", "tx_dropped", "tx_errors", "tx_fifo_errors",
            "tx_heartbeat_errors", "tx_packets", "tx_window_errors",
        ]
        return [
            .text("addr_assign_type", "0"), .text("addr_len", "6"), .text("address", "00:00:00:00:00:00"),
            .text("broadcast", "00:00:00:00:00:00"), .text("carrier", "1", 0o644), .text("carrier_changes", "0"),
            .text("dev_id", "0x0"), .text("dev_port", "0"), .text("dormant", "0"), .text("flags", "0x9", 0o644),
            .text("ifalias", "", 0o644), .text("ifindex", "1"), .text("iflink", "1"), .text("link_mode", "0"),
            .text("mtu", "65536", 0o644), .text("operstate", "unknown"),
            .directory("statistics", counters.map { .text($0, "0") }), .text("tx_queue_len", "1000", 0o644), .text("type", "772"),
            .file("uevent", ConstantContent("INTERFACE=lo\nIFINDEX=1\n", permissions: 0o644)),
        ]
    }
}
