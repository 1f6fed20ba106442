/*
 * The yardstick of docs/performance.md: a bare asynchronous client on net-snmp's own library that only fetches. It
 * sends GETBULK, checks that a column has not ended, counts, and keeps nothing. One session and socket for each agent,
 * many agents at once, epoll instead of select, so that the library is all that is measured.
 *
 *   fetch FORM COMMUNITY IN_FLIGHT ROUNDS < agents        one "address:port" a line
 *
 * FORM  columns  the columns that noctty asks for, side by side, about 64 values a request
 *       full     ifTable, ifXTable and dot3StatsDuplexStatus, as snmpbulkwalk -Cr50 would
 *
 * Prints one JSON object. CPU time counts from the first session to the last answer, without reading the arguments.
 */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/library/large_fd_set.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

#define MOST_COLUMNS 32
#define MOST_ARCS 32
#define MOST_AGENTS 65536

static const oid IF_ENTRY[] = {1, 3, 6, 1, 2, 1, 2, 2, 1};
static const oid IFX_ENTRY[] = {1, 3, 6, 1, 2, 1, 31, 1, 1, 1};
static const oid IF_TABLE[] = {1, 3, 6, 1, 2, 1, 2, 2};
static const oid IFX_TABLE[] = {1, 3, 6, 1, 2, 1, 31, 1, 1};
static const oid DUPLEX[] = {1, 3, 6, 1, 2, 1, 10, 7, 2, 1, 19};
static const oid IF_COLUMNS[] = {2, 3, 4, 5, 6, 7, 8, 9, 13, 14, 19, 20};
static const oid IFX_COLUMNS[] = {1, 6, 10, 15, 18, 19};

/* What is asked: roots walked side by side, or one after the other. */
struct root {
    oid name[MOST_ARCS];
    size_t arcs;
};
static struct root roots[MOST_COLUMNS];
static int root_count;
static int side_by_side;
static long repetitions;

struct agent {
    const char *address;
    void *handle;
    int fd;
    int open[MOST_COLUMNS]; /* roots that have not ended */
    int asked[MOST_COLUMNS];
    int asked_count;
    oid at[MOST_COLUMNS][MOST_ARCS];
    size_t arcs[MOST_COLUMNS];
};

static char *addresses[MOST_AGENTS];
static const char *community;
static int agent_count, poll_fd, running, done, failed, next_agent;
static unsigned long requests, varbinds;

static void add_root(const oid *name, size_t arcs, oid column) {
    struct root *root = &roots[root_count++];
    memcpy(root->name, name, arcs * sizeof(oid));
    root->arcs = arcs;
    if (column)
        root->name[root->arcs++] = column;
}

static void choose(const char *form) {
    size_t i;
    if (strcmp(form, "full") == 0) {
        add_root(IF_TABLE, OID_LENGTH(IF_TABLE), 0);
        add_root(IFX_TABLE, OID_LENGTH(IFX_TABLE), 0);
        add_root(DUPLEX, OID_LENGTH(DUPLEX), 0);
        repetitions = 50;
    } else {
        for (i = 0; i < OID_LENGTH(IF_COLUMNS); i++)
            add_root(IF_ENTRY, OID_LENGTH(IF_ENTRY), IF_COLUMNS[i]);
        for (i = 0; i < OID_LENGTH(IFX_COLUMNS); i++)
            add_root(IFX_ENTRY, OID_LENGTH(IFX_ENTRY), IFX_COLUMNS[i]);
        add_root(DUPLEX, OID_LENGTH(DUPLEX), 0);
        side_by_side = 1;
        repetitions = 64 / root_count;
    }
}

/* Sends the next request; 0 where nothing is left to ask. */
static int ask(struct agent *agent) {
    netsnmp_pdu *pdu;
    int i;
    agent->asked_count = 0;
    for (i = 0; i < root_count; i++) {
        if (!agent->open[i])
            continue;
        agent->asked[agent->asked_count++] = i;
        if (!side_by_side)
            break;
    }
    if (agent->asked_count == 0)
        return 0;
    pdu = snmp_pdu_create(SNMP_MSG_GETBULK);
    pdu->non_repeaters = 0;
    pdu->max_repetitions = repetitions;
    for (i = 0; i < agent->asked_count; i++)
        snmp_add_null_var(pdu, agent->at[agent->asked[i]], agent->arcs[agent->asked[i]]);
    if (!snmp_sess_send(agent->handle, pdu)) {
        snmp_free_pdu(pdu);
        return 0;
    }
    requests++;
    return 1;
}

static void take(struct agent *agent, netsnmp_pdu *pdu) {
    netsnmp_variable_list *variable;
    int i = 0;
    if (pdu->errstat != SNMP_ERR_NOERROR) {
        memset(agent->open, 0, sizeof agent->open);
        return;
    }
    for (variable = pdu->variables; variable; variable = variable->next_variable, i++) {
        int root = agent->asked[i % agent->asked_count];
        varbinds++;
        if (!agent->open[root])
            continue;
        if (variable->type == SNMP_ENDOFMIBVIEW || variable->name_length <= roots[root].arcs ||
            variable->name_length > MOST_ARCS ||
            snmp_oidtree_compare(roots[root].name, roots[root].arcs, variable->name, roots[root].arcs) != 0) {
            agent->open[root] = 0;
            continue;
        }
        memcpy(agent->at[root], variable->name, variable->name_length * sizeof(oid));
        agent->arcs[root] = variable->name_length;
    }
}

static void end(struct agent *agent) {
    agent->asked_count = -1; /* closed by the loop, outside of the library's own call */
}

static int heard(int operation, netsnmp_session *session, int id, netsnmp_pdu *pdu, void *magic) {
    struct agent *agent = magic;
    (void)session;
    (void)id;
    if (operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE) {
        take(agent, pdu);
        if (!ask(agent))
            end(agent);
    } else if (operation == NETSNMP_CALLBACK_OP_TIMED_OUT) {
        failed++;
        end(agent);
    }
    return 1;
}

static void begin(struct agent *agent, const char *address) {
    netsnmp_session session;
    struct epoll_event event;
    int i;
    memset(agent, 0, sizeof *agent);
    agent->address = address;
    for (i = 0; i < root_count; i++) {
        agent->open[i] = 1;
        memcpy(agent->at[i], roots[i].name, roots[i].arcs * sizeof(oid));
        agent->arcs[i] = roots[i].arcs;
    }
    snmp_sess_init(&session);
    session.version = SNMP_VERSION_2c;
    session.peername = (char *)address;
    session.community = (u_char *)community;
    session.community_len = strlen(community);
    session.timeout = 2000000;
    session.retries = 2;
    session.callback = heard;
    session.callback_magic = agent;
    agent->handle = snmp_sess_open(&session);
    if (!agent->handle) {
        fprintf(stderr, "fetch: cannot open a session to %s\n", address);
        exit(1);
    }
    agent->fd = snmp_sess_transport(agent->handle)->sock;
    event.events = EPOLLIN;
    event.data.ptr = agent;
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, agent->fd, &event);
    running++;
    if (!ask(agent))
        end(agent);
}

/* An agent that is through makes room for the next. */
static void settle(struct agent *agent) {
    while (agent->handle && agent->asked_count < 0) {
        epoll_ctl(poll_fd, EPOLL_CTL_DEL, agent->fd, NULL);
        snmp_sess_close(agent->handle);
        agent->handle = NULL;
        running--;
        done++;
        if (next_agent < agent_count)
            begin(agent, addresses[next_agent++]);
    }
}

static void cycle(struct agent *agents, int in_flight) {
    static struct epoll_event events[256];
    netsnmp_large_fd_set readable;
    int i, n;
    netsnmp_large_fd_set_init(&readable, 4096);
    next_agent = 0;
    for (i = 0; i < in_flight && next_agent < agent_count; i++) {
        begin(&agents[i], addresses[next_agent++]);
        settle(&agents[i]);
    }
    while (running > 0) {
        n = epoll_wait(poll_fd, events, 256, 100);
        for (i = 0; i < n; i++) {
            struct agent *agent = events[i].data.ptr;
            int fd = agent->fd;
            if (!agent->handle)
                continue;
            NETSNMP_LARGE_FD_SET(fd, &readable);
            snmp_sess_read2(agent->handle, &readable);
            NETSNMP_LARGE_FD_CLR(fd, &readable);
            settle(agent);
        }
        for (i = 0; n == 0 && i < in_flight; i++) {
            if (agents[i].handle)
                snmp_sess_timeout(agents[i].handle);
            settle(&agents[i]);
        }
    }
    netsnmp_large_fd_set_cleanup(&readable);
}

static double seconds(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int argc, char **argv) {
    struct rlimit limit;
    struct rusage before, after;
    struct timespec begun, ended;
    struct agent *agents;
    char line[128];
    int in_flight, rounds, i;
    if (argc != 5 || (strcmp(argv[1], "columns") != 0 && strcmp(argv[1], "full") != 0)) {
        fprintf(stderr, "usage: fetch columns|full COMMUNITY IN_FLIGHT ROUNDS < agents\n");
        return 2;
    }
    community = argv[2];
    in_flight = atoi(argv[3]);
    rounds = atoi(argv[4]);
    while (agent_count < MOST_AGENTS && fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\r\n")] = 0;
        if (*line)
            addresses[agent_count++] = strdup(line);
    }
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
    setenv("MIBS", "", 1);
    init_snmp("fetch");
    choose(argv[1]);
    agents = calloc((size_t)in_flight, sizeof *agents);
    poll_fd = epoll_create1(0);
    clock_gettime(CLOCK_MONOTONIC, &begun);
    getrusage(RUSAGE_SELF, &before);
    for (i = 0; i < rounds; i++)
        cycle(agents, in_flight);
    getrusage(RUSAGE_SELF, &after);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    printf("{\"form\": \"%s\", \"agents\": %d, \"rounds\": %d, \"done\": %d, \"failed\": %d, \"requests\": %lu, "
           "\"varbinds\": %lu, \"wall_s\": %.6f, \"cpu_user_s\": %.6f, \"cpu_system_s\": %.6f}\n",
           argv[1], agent_count, rounds, done, failed, requests, varbinds,
           (double)(ended.tv_sec - begun.tv_sec) + (double)(ended.tv_nsec - begun.tv_nsec) / 1e9,
           seconds(after.ru_utime) - seconds(before.ru_utime), seconds(after.ru_stime) - seconds(before.ru_stime));
    return failed > 0;
}
