// Random reads, writes, truncations and mappings of one file against an array of bytes.
#include "random.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIMIT = 1 << 19, PAGE = 4096, CHUNK = 1 << 16 };
static unsigned char model[LIMIT], buffer[LIMIT];
static size_t size;
static int files[2], appender;
static char path[4096];

static void fill(unsigned char *bytes, size_t count) {
    uint64_t word = random_word() | 1;
    for (size_t i = 0; i < count; i++) bytes[i] = (unsigned char)(word >> (i % 7 * 8) ^ i);
}

static size_t length_from(size_t offset, size_t limit) {
    size_t room = LIMIT - offset, want = below(8) ? below(below(2) ? 300 : 3 * PAGE) : below(CHUNK);
    if (want > room) want = room;
    return want > limit ? limit : want;
}
static size_t any_offset(void) {
    size_t offset = below(4) ? below(size + 1) : below(LIMIT);
    return below(3) ? offset : offset / PAGE * PAGE;
}
/// The model after bytes were put at `offset`: a gap before them is zeroes.
static void put(size_t offset, const unsigned char *bytes, size_t count) {
    if (!count) return;
    if (offset > size) memset(model + size, 0, offset - size);
    memcpy(model + offset, bytes, count);
    if (offset + count > size) size = offset + count;
}
static void compare(const unsigned char *seen, size_t offset, size_t count, const char *by) {
    for (size_t i = 0; i < count; i++)
        if (seen[i] != model[offset + i])
            differs("byte %zu is %d by %s, not %d; size %zu", offset + i, seen[i], by, model[offset + i], size);
}

static void check_size(void) {
    struct stat s;
    if (fstat(files[below(2)], &s) || (size_t)s.st_size != size) differs("size is %lld, not %zu", (long long)s.st_size, size);
}

static void read_some(void) {
    size_t offset = any_offset(), count = length_from(offset, LIMIT);
    note("read %zu at %zu", count, offset);
    ssize_t got = pread(files[below(2)], buffer, count, (off_t)offset);
    size_t expected = offset >= size ? 0 : size - offset < count ? size - offset : count;
    if (got != (ssize_t)expected) differs("pread gives %zd, not %zu", got, expected);
    compare(buffer, offset, expected, "pread");
}

static void write_some(void) {
    size_t offset = any_offset(), count = length_from(offset, LIMIT);
    note("write %zu at %zu", count, offset);
    fill(buffer, count);
    if (pwrite(files[below(2)], buffer, count, (off_t)offset) != (ssize_t)count) differs("pwrite");
    put(offset, buffer, count);
}

static void append_some(void) {
    size_t count = length_from(size, 5000);
    note("append %zu", count);
    fill(buffer, count);
    if (write(appender, buffer, count) != (ssize_t)count) differs("append");
    put(size, buffer, count);
}

static void truncate_some(void) {
    size_t length = any_offset();
    note("truncate to %zu", length);
    if (below(2) ? ftruncate(files[below(2)], (off_t)length) : truncate(path, (off_t)length)) differs("truncate");
    if (length > size) memset(model + size, 0, length - size);
    size = length;
}

static void map_some(int writes) {
    if (!size) return;
    size_t start = below(size) / PAGE * PAGE, count = length_from(start, size - start);
    if (!count) return;
    int private = below(3) == 0;
    note("map %s%s %zu at %zu", private ? "private " : "", writes ? "write" : "read", count, start);
    size_t skip = below(2) ? 0 : below(count);
    unsigned char *m = mmap(NULL, count, PROT_READ | (writes ? PROT_WRITE : 0), private ? MAP_PRIVATE : MAP_SHARED, files[below(2)], (off_t)start);
    if (m == MAP_FAILED) differs("mmap");
    compare(m, start, count, "a mapping");
    if (writes) {
        fill(buffer, count - skip);
        memcpy(m + skip, buffer, count - skip);
        if (!private) {
            put(start + skip, buffer, count - skip);
            if (below(4) == 0 && msync(m, count, MS_SYNC)) differs("msync");
        }
        // What a mapping wrote a read sees at once, and the other way round.
        if (pread(files[below(2)], buffer, count, (off_t)start) != (ssize_t)count) differs("pread under a mapping");
        compare(buffer, start, count, "pread under a mapping");
        if (!private && count > 8) {
            fill(buffer, 8);
            if (pwrite(files[below(2)], buffer, 8, (off_t)start) != 8) differs("pwrite under a mapping");
            put(start, buffer, 8);
            compare(m, start, count, "a mapping after pwrite");
        }
    }
    munmap(m, count);
}

/// Modes that a file system does not have are left out from then on.
static int lacks[4];
static void allocate_some(void) {
    int kind = (int)below(4);
    static const int modes[4] = {0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE};
    size_t offset = any_offset(), count = length_from(offset, CHUNK);
    if (!count || lacks[kind]) return;
    note("fallocate mode %d, %zu at %zu", modes[kind], count, offset);
    if (fallocate(files[below(2)], modes[kind], (off_t)offset, (off_t)count)) {
        if (errno != EOPNOTSUPP) differs("fallocate");
        lacks[kind] = 1;
        return;
    }
    size_t end = offset + count;
    if (kind >= 2 && offset < size) memset(model + offset, 0, (end < size ? end : size) - offset);
    if ((kind == 0 || kind == 3) && end > size) {
        memset(model + size, 0, end - size);
        size = end;
    }
}

static void copy_some(void) {
    size_t from = any_offset(), to = any_offset(), count = length_from(from > to ? from : to, 3 * PAGE);
    size_t present = from >= size ? 0 : size - from < count ? size - from : count;
    // A copy that makes the file longer would go on with what it wrote.
    if (count > present) count = present;
    if (!count || (from < to + count && to < from + count)) return;
    int sends = (int)below(2);
    note("%s %zu from %zu to %zu", sends ? "sendfile" : "copy_file_range", count, from, to);
    loff_t in = (loff_t)from, out = (loff_t)to;
    ssize_t done;
    if (sends) {
        if (lseek(files[1], (off_t)to, SEEK_SET) != (off_t)to) differs("lseek");
        done = sendfile(files[1], files[0], &in, count);
    } else {
        done = copy_file_range(files[0], &in, files[1], &out, count, 0);
    }
    if (done <= 0 || (size_t)done > count) differs("copied %zd of %zu", done, count);
    unsigned char *part = malloc((size_t)done + 1);
    memcpy(part, model + from, (size_t)done);
    put(to, part, (size_t)done);
    free(part);
}

static void seek_some(void) {
    size_t offset = any_offset();
    int data = (int)below(2);
    note("seek %s from %zu", data ? "data" : "hole", offset);
    off_t found = lseek(files[0], (off_t)offset, data ? SEEK_DATA : SEEK_HOLE);
    if (offset >= size) {
        if (found != -1 || errno != ENXIO) differs("seek past the end gives %lld", (long long)found);
        return;
    }
    if (found == -1) {
        if (!data || errno != ENXIO) differs("seek");
        for (size_t i = offset; i < size; i++)
            if (model[i]) differs("SEEK_DATA skips byte %zu", i);
        return;
    }
    if ((size_t)found < offset || (size_t)found > size) differs("seek gives %lld", (long long)found);
    // What is skipped as a hole holds nothing.
    if (data)
        for (size_t i = offset; i < (size_t)found; i++)
            if (model[i]) differs("SEEK_DATA skips byte %zu", i);
}

static void reopen(void) {
    int which = (int)below(2);
    note("reopen %d", which);
    close(files[which]);
    files[which] = open(path, O_RDWR);
    if (files[which] < 0) differs("open");
    if (below(3) == 0 && fsync(files[which])) differs("fsync");
}

static void beyond_the_end(void) {
    // A whole page behind the end raises SIGBUS; the rest of the last page is zeroes.
    if (!size || size % PAGE == 0) return;
    size_t start = size / PAGE * PAGE;
    note("look behind the end");
    unsigned char *m = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, files[0], (off_t)start);
    if (m == MAP_FAILED) differs("mmap");
    for (size_t i = size - start; i < PAGE; i++)
        if (m[i]) differs("byte %zu behind the end is %d", start + i, m[i]);
    munmap(m, PAGE);
}

int main(int argc, char **argv) {
    double end = begin(argc, argv);
    snprintf(path, sizeof path, "%s/file-model.%d", argv[1], (int)getpid());
    for (int i = 0; i < 2; i++) files[i] = open(path, O_RDWR | O_CREAT, 0600);
    appender = open(path, O_WRONLY | O_APPEND);
    if (files[0] < 0 || files[1] < 0 || appender < 0) differs("open %s", path);
    do {
        switch (below(16)) {
        case 0 ... 2: read_some(); break;
        case 3 ... 5: write_some(); break;
        case 6: append_some(); break;
        case 7: truncate_some(); break;
        case 8: map_some(0); break;
        case 9 ... 10: map_some(1); break;
        case 11: allocate_some(); break;
        case 12: copy_some(); break;
        case 13: seek_some(); break;
        case 14: reopen(); break;
        case 15: beyond_the_end(); break;
        }
        if (below(8) == 0) check_size();
        if (below(256) == 0) {
            if (pread(files[0], buffer, LIMIT, 0) != (ssize_t)size) differs("the whole file");
            compare(buffer, 0, size, "reading the whole file");
        }
    } while (now() < end);
    unlink(path);
    finish();
}
