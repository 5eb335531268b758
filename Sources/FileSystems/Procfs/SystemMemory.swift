import Kernel
import LinuxABI

/// /proc/meminfo and /proc/vmstat. What is used is what the memory file holds: guest memory and files in memory alike.
struct SystemMemory: Sendable {
    let kernel: SandboxKernel

    private var total: UInt64 { kernel.memoryFile.totalBytes }
    private var used: UInt64 { min(kernel.memoryFile.committedBytes, total) }

    var text: [UInt8] {
        let total = total
        let used = used
        let free = total - used
        var text = TextBuilder(reserving: 1536)
        func row(_ name: String, _ bytes: UInt64) {
            text.text(name)
            text.text(":")
            // Numbers end in column 24, but a long name pushes its own out.
            let width = name.utf8.count + 1 < 16 ? 24 - name.utf8.count - 1 : 8
            text.decimal(bytes / 1024, width: width)
            text.text(" kB\n")
        }
        func count(_ name: String) {
            text.text(name)
            text.text(":")
            text.decimal(UInt64(0), width: 23 - name.utf8.count)
            text.newline()
        }
        row("MemTotal", total)
        row("MemFree", free)
        row("MemAvailable", free)
        for name in ["Buffers", "Cached", "SwapCached"] { row(name, 0) }
        row("Active", used)
        row("Inactive", 0)
        row("Active(anon)", used)
        for name in [
            "Inactive(anon)", "Active(file)", "Inactive(file)", "Unevictable", "Mlocked", "SwapTotal", "SwapFree", "Zswap",
            "Zswapped",
            "Dirty", "Writeback",
        ] { row(name, 0) }
        row("AnonPages", used)
        for name in [
            "Mapped", "Shmem", "KReclaimable", "Slab", "SReclaimable", "SUnreclaim", "KernelStack", "PageTables", "SecPageTables",
            "NFS_Unstable", "Bounce", "WritebackTmp",
        ] { row(name, 0) }
        row("CommitLimit", total / 2)
        row("Committed_AS", used)
        text.text("VmallocTotal:   34359738367 kB\n")
        for name in [
            "VmallocUsed", "VmallocChunk", "Percpu", "AnonHugePages", "ShmemHugePages", "ShmemPmdMapped", "FileHugePages",
            "FilePmdMapped",
        ] { row(name, 0) }
        for name in ["HugePages_Total", "HugePages_Free", "HugePages_Rsvd", "HugePages_Surp"] { count(name) }
        row("Hugepagesize", 2 << 20)
        row("Hugetlb", 0)
        row("DirectMap4k", 0)
        row("DirectMap2M", total)
        return text.bytes
    }

    var pageCounters: [UInt8] {
        var text = TextBuilder()
        for (name, value) in [
            ("nr_free_pages", (total - used) / Page.size), ("nr_inactive_anon", 0), ("nr_active_anon", used / Page.size),
            ("nr_inactive_file", 0), ("nr_active_file", 0), ("nr_anon_pages", used / Page.size), ("nr_mapped", 0),
            ("nr_file_pages", 0),
            ("nr_dirty", 0), ("nr_writeback", 0), ("nr_shmem", 0), ("pgpgin", 0), ("pgpgout", 0), ("pswpin", 0), ("pswpout", 0),
            ("pgfault", 0), ("pgmajfault", 0), ("oom_kill", 0),
        ] {
            text.text(name)
            text.space()
            text.decimal(value)
            text.newline()
        }
        return text.bytes
    }
}
