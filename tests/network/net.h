/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NETWORK_NET_H
#define NETWORK_NET_H

/*
 * A network in memory, with a clock that only moves when told to: a struct ota_platform for each
 * node of it, streams with windows, listeners, datagrams, and a plan of what goes wrong.
 *
 *     struct net *net = net_new();
 *     device_uses(&net->nodes[NET_DEVICE].platform);
 *     peer_uses(&net->nodes[1].platform);                     10.0.0.2
 *     net_arm(net, &(struct net_plan){.end = NET_RESET, .cut_at = 997});
 *     ... poll both; net_pass(net, wait_ms) when nothing stirs any more ...
 *     assert(net_open(net) == 0);
 *     net_free(net);
 *
 * It is stricter than most: who closes on unread bytes, or writes to who has closed, breaks the
 * connection, and what the other side has not read of it is gone.
 */

#include <updraft/platform.h>

#define NET_NODES 52u
#define NET_DEVICE 0u /* the node that directions are told from */
#define NET_CONNECTIONS 128u
#define NET_LISTENERS 64u
#define NET_SOCKETS 64u
#define NET_PACKETS 256u
#define NET_WINDOW 5840u
#define NET_PACKET_SIZE 256u
#define NET_BACKLOG 64u

enum net_direction {
    NET_TO_DEVICE = 0,
    NET_FROM_DEVICE
};

/* How a connection ends. */
enum net_end {
    NET_NOTHING = 0,
    NET_CLOSE,   /* in order, as seen by both sides; what was sent arrives */
    NET_RESET,   /* what was not read yet is lost */
    NET_SILENCE, /* nothing arrives any more, and nobody is told */
    NET_END_COUNT
};

/* What becomes of a datagram. */
enum net_fate {
    NET_ARRIVES = 0,
    NET_LOST,
    NET_DOUBLED,
    NET_LATE,         /* by late_ms: others overtake it */
    NET_DOUBLED_LATE, /* the copy comes late_ms later */
    NET_FATE_COUNT
};

struct net_plan {
    /* For the first connection that is made once this is armed: what ends it, after so many bytes
       of this direction. */
    enum net_end end;
    enum net_direction direction;
    uint64_t cut_at;

    /* For the same one: the bytes of `direction` from stall_at on come so much later. */
    uint32_t stall_ms;
    uint64_t stall_at;

    size_t piece; /* bytes that a read or write of anybody moves at most; 0: what fits */

    enum net_fate fate; /* of the datagram-th datagram, from 1; 0: of all of them */
    unsigned datagram;
    uint32_t late_ms;
};

struct net;

struct net_pipe {
    uint8_t bytes[NET_WINDOW];
    size_t at, len;
    uint64_t taken, given; /* bytes in all, from the writer and to the reader */
    bool is_over;          /* nothing more comes behind what is there */
    bool is_stalled;
    uint32_t stall_since;
    size_t swallowed; /* of what is sent into silence */
};

struct net_side {
    struct ota_stream stream; /* first: a cast gets this back */
    struct net_connection *connection;
    unsigned side; /* 0: who connected */
    bool is_open;
};

struct net_connection {
    struct net *net;
    bool is_used;
    unsigned node[2];
    struct net_side side[2];
    struct net_pipe pipe[2]; /* pipe[i] carries what side i writes */
    struct net_listener *waits_at;
    uint64_t order;
    bool is_planned; /* the plan's faults are for this one */
    bool is_refused, is_reset, is_silent;
    struct ota_address from;
};

struct net_listener {
    struct ota_listener listener; /* first */
    struct net *net;
    unsigned node;
    bool is_open;
};

struct net_socket {
    struct ota_datagrams datagrams; /* first */
    struct net *net;
    unsigned node;
    bool is_open;
};

struct net_packet {
    bool is_used;
    unsigned to_node;
    uint16_t to_port;
    struct ota_address from;
    uint32_t due_ms;
    uint64_t order;
    size_t len;
    uint8_t data[NET_PACKET_SIZE];
};

struct net_node {
    struct ota_platform platform; /* first */
    struct net *net;
    unsigned number;
};

struct net {
    struct net_node nodes[NET_NODES];
    uint32_t now_ms;
    uint64_t stirred; /* counts whatever was moved */
    struct net_plan plan;
    bool is_armed;       /* no connection has taken the plan yet */
    bool has_cut;        /* the plan's end came about, */
    uint32_t cut_ms;     /* then */
    unsigned datagrams;  /* sent since it was armed */
    uint64_t carried[2]; /* bytes since then over the planned connection, by direction */
    bool logs;           /* print log lines */

    uint64_t orders;
    uint16_t next_port;
    uint32_t random;
    unsigned connections_top; /* those from here on have never been used */
    unsigned packet_count;    /* on their way */
    struct net_connection connections[NET_CONNECTIONS];
    struct net_listener listeners[NET_LISTENERS];
    struct net_socket sockets[NET_SOCKETS];
    struct net_packet packets[NET_PACKETS];
};

struct net *net_new(void);
void net_free(struct net *net);

/* Makes this the plan from now on; NULL: nothing goes wrong. */
void net_arm(struct net *net, const struct net_plan *plan);

/* The address of a node: 10.0.0.1 for the device, 10.0.0.2 and so on. */
struct ota_address net_address(unsigned node, uint16_t port);

/* Lets time pass: at most `wait_ms`, less if something becomes due before. */
void net_pass(struct net *net, uint32_t wait_ms);

/* How many ends of streams, listeners and sockets a node has open. */
unsigned net_open_streams(const struct net *net, unsigned node);
unsigned net_open(const struct net *net, unsigned node);

/* Of all nodes. */
unsigned net_open_everywhere(const struct net *net);

const char *net_end_name(enum net_end end);

#endif
