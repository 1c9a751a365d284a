/* Preloaded into a program that is kept from the local network, where the host has no network namespaces for us.

   connect and what sends datagrams ask a page of memory that pairlab writes: whether the local network is denied now, and
   which ports of this machine are accessories. Everything else is as ever. See network_preload.py, which knows the page. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TCP, UDP };

struct page {
    _Atomic uint32_t error; /* 0 = granted; what calls to accessories end in */
    _Atomic uint32_t refused;
    uint8_t ports[2][8192];
};

static struct page *page;

__attribute__((constructor)) static void find_page(void) {
    const char *path = getenv("PAIRLAB_NO_ROUTE");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    void *found = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (found != MAP_FAILED)
        page = found;
}

/* The error for an IPv4 address and port (in host order), 0 where it is none of ours. */
static int verdict_v4(uint32_t host, uint16_t port, int kind) {
    if (host >> 28 == 0xe || host == INADDR_BROADCAST)
        return EHOSTUNREACH;
    if (page->ports[kind][port / 8] >> port % 8 & 1)
        return (int)page->error;
    int is_private = host >> 24 == 10 || host >> 20 == 0xac1 || host >> 16 == 0xc0a8 || host >> 16 == 0xa9fe;
    return is_private ? EHOSTUNREACH : 0;
}

static int verdict_v6(const struct sockaddr_in6 *to, int kind) {
    const uint8_t *host = to->sin6_addr.s6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&to->sin6_addr)) {
        uint32_t mapped;
        memcpy(&mapped, host + 12, sizeof mapped);
        return verdict_v4(ntohl(mapped), ntohs(to->sin6_port), kind);
    }
    int is_local = host[0] == 0xff || (host[0] & 0xfe) == 0xfc || IN6_IS_ADDR_LINKLOCAL(&to->sin6_addr);
    return is_local ? EHOSTUNREACH : 0;
}

/* Whether a call is refused; then errno says how. Without an address it goes to the socket's peer. */
static int is_refused(int fd, const struct sockaddr *to, socklen_t length) {
    struct sockaddr_storage peer;
    int type = 0, before = errno;
    socklen_t size = sizeof type;
    if (page == NULL || page->error == 0)
        return 0;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
        type = 0;
    if (to == NULL && type == SOCK_DGRAM) {
        length = sizeof peer;
        if (getpeername(fd, (struct sockaddr *)&peer, &length) == 0)
            to = (struct sockaddr *)&peer;
    }
    errno = before;
    if (to == NULL || (type != SOCK_STREAM && type != SOCK_DGRAM))
        return 0;
    int error = 0, kind = type == SOCK_STREAM ? TCP : UDP;
    if (to->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)to;
        error = verdict_v4(ntohl(v4->sin_addr.s_addr), ntohs(v4->sin_port), kind);
    } else if (to->sa_family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
        error = verdict_v6((const struct sockaddr_in6 *)to, kind);
    }
    if (error == 0)
        return 0;
    atomic_fetch_add(&page->refused, 1);
    errno = error;
    return 1;
}

#define REAL(result, name, ...) \
    static result (*real)(__VA_ARGS__); \
    if (real == NULL) \
        *(void **)&real = dlsym(RTLD_NEXT, #name)

int connect(int fd, const struct sockaddr *to, socklen_t length) {
    REAL(int, connect, int, const struct sockaddr *, socklen_t);
    return is_refused(fd, to, length) ? -1 : real(fd, to, length);
}

ssize_t send(int fd, const void *octets, size_t count, int flags) {
    REAL(ssize_t, send, int, const void *, size_t, int);
    return is_refused(fd, NULL, 0) ? -1 : real(fd, octets, count, flags);
}

ssize_t sendto(int fd, const void *octets, size_t count, int flags, const struct sockaddr *to, socklen_t length) {
    REAL(ssize_t, sendto, int, const void *, size_t, int, const struct sockaddr *, socklen_t);
    return is_refused(fd, to, length) ? -1 : real(fd, octets, count, flags, to, length);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    REAL(ssize_t, sendmsg, int, const struct msghdr *, int);
    return is_refused(fd, message->msg_name, message->msg_namelen) ? -1 : real(fd, message, flags);
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags) {
    REAL(int, sendmmsg, int, struct mmsghdr *, unsigned int, int);
    int refused = count > 0 && is_refused(fd, messages[0].msg_hdr.msg_name, messages[0].msg_hdr.msg_namelen);
    return refused ? -1 : real(fd, messages, count, flags);
}
