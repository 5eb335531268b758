import LinuxABI
import Testing

@Suite struct AccountingTests {
    @Test func aRecordIs64Bytes() { #expect(AccountingRecord().bytes.count == 64) }

    /// encode_comp_t: 13 bits as they are, then an exponent of base 8 with rounding.
    @Test func timesAreCompressedAsByLinux() {
        #expect(AccountingRecord.compressed(0) == 0)
        #expect(AccountingRecord.compressed(8191) == 8191)
        #expect(AccountingRecord.compressed(8192) == 1 << 13 | 1024)
        #expect(AccountingRecord.compressed(8196) == 1 << 13 | 1025)
        #expect(AccountingRecord.compressed(65535) == 2 << 13 | 1024)
        #expect(AccountingRecord.compressed(.max) == .max)
    }
}
