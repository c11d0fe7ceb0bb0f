"""CPython and its standard library: event loops, child processes, pools, locks and memory of several processes, terminals, archives, a database."""
import asyncio, concurrent.futures, ctypes, errno, fcntl, mmap, multiprocessing, os, pty, resource, select, selectors, shutil, signal, socket, sqlite3
import subprocess, sys, tarfile, tempfile, threading, time, zipfile
from multiprocessing import shared_memory


def show(*words):
    print(*words, flush=True)


def square(x):
    return x * x


async def talking():
    async def answer(reader, writer):
        while line := await reader.readline():
            writer.write(line.upper())
            await writer.drain()
        writer.close()

    async def ask(i):
        reader, writer = await asyncio.open_unix_connection("socket")
        got = []
        for j in range(20):
            writer.write(b"question %d %d\n" % (i, j))
            got.append(await reader.readline())
        writer.close()
        return len(b"".join(got))

    server = await asyncio.start_unix_server(answer, "socket")
    show("answers", sum(await asyncio.gather(*[ask(i) for i in range(30)])))
    child = await asyncio.create_subprocess_exec("/bin/busybox", "sh", "-c", "cat; exit 4", stdin=-1, stdout=-1)
    out, _ = await child.communicate(b"x" * 200000)
    show("child", len(out), child.returncode)
    try:
        await asyncio.wait_for(asyncio.sleep(60), 0.02)
    except asyncio.TimeoutError:
        show("timed out")
    event = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, event.set)
    os.kill(os.getpid(), signal.SIGUSR1)
    await event.wait()
    show("signal, and a thread:", await asyncio.get_running_loop().run_in_executor(None, square, 12))
    server.close()


def count(queue, lock, value):
    for _ in range(100):
        with lock:
            value.value += 1
    queue.put(os.getppid() != 1)


def processes():
    with multiprocessing.Pool(3) as pool:
        show("pool", sum(pool.map(square, range(1000))))
    queue, lock, value = multiprocessing.Queue(), multiprocessing.Lock(), multiprocessing.Value("i", 0)
    children = [multiprocessing.Process(target=count, args=(queue, lock, value)) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    show("together", value.value, [queue.get() for _ in children], [child.exitcode for child in children])
    memory = shared_memory.SharedMemory(create=True, size=10000, name="carillon")
    memory.buf[:5] = b"shown"
    other = shared_memory.SharedMemory("carillon")
    show(bytes(other.buf[:5]))
    other.close()
    memory.close()
    memory.unlink()
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        show("threads", sum(threads.map(square, range(1000))))
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        show("processes", sum(pool.map(square, range(100), chunksize=10)))
    child = subprocess.run([sys.executable, "-c", "import sys; sys.stdout.write(sys.stdin.read()[::-1]); sys.exit(3)"], input="abc", text=True, capture_output=True)
    show(child.returncode, child.stdout, child.stderr)
    try:
        subprocess.run(["/bin/busybox", "sleep", "60"], timeout=0.05)
    except subprocess.TimeoutExpired as end:
        show(type(end).__name__)
    for arguments in (["/none"], ["/etc"]):
        try:
            subprocess.run(arguments)
        except OSError as error:
            show(error)
    pid, terminal = pty.fork()
    if not pid:
        os.execv("/bin/busybox", ["sh", "-c", "stty size; echo done; read x; echo \"<$x>\"; exit 5"])
    os.write(terminal, b"typed\n")
    out = b""
    try:
        while some := os.read(terminal, 1000):
            out += some
    except OSError as error:
        show(errno.errorcode[error.errno], b"<typed>\r\n" in out, b"0 0\r\n" in out)
    show(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def database():
    first = sqlite3.connect("database", timeout=30)
    show(first.execute("pragma journal_mode=wal").fetchone())
    first.execute("create table bell (number integer primary key, name text)")
    with first:
        first.executemany("insert into bell (name) values (?)", [(str(i * 7919 % 10007),) for i in range(10000)])

    def writer(start):
        connection = sqlite3.connect("database", timeout=30)
        for i in range(10):
            with connection:
                connection.execute("insert into bell (name) values (?)", ("of %d" % start,))
        connection.close()

    threads = [threading.Thread(target=writer, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    show(first.execute("select count(*), sum(number), max(name) from bell where name like '%7%' or name like 'of%'").fetchone())
    first.execute("create index names on bell (name)")
    show(first.execute("select number from bell where name = '4999'").fetchone(), first.execute("pragma integrity_check").fetchone())
    first.close()
    show(sorted(os.listdir(".")))


def files():
    os.mkdir("tree")
    for i in range(50):
        with open("tree/%d" % i, "w") as file:
            file.write("line\n" * i * 100)
    with zipfile.ZipFile("all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(50):
            archive.write("tree/%d" % i)
    with tarfile.open("all.tar.gz", "w:gz") as archive:
        archive.add("tree")
    show(len(zipfile.ZipFile("all.zip").read("tree/49")), len(tarfile.open("all.tar.gz").getmembers()))
    shutil.copytree("tree", "copy")
    os.link("copy/7", "copy/hard")
    show(sum(entry.stat().st_size for entry in os.scandir("copy")), os.stat("copy/7").st_nlink)
    shutil.rmtree("tree")
    with open("mapped", "w+b") as file:
        file.truncate(1 << 20)
        area = mmap.mmap(file.fileno(), 0)
        area[5000:5004] = b"here"
        area.flush()
        show(area.find(b"here"), os.pread(file.fileno(), 4, 5000))
        fcntl.flock(file, fcntl.LOCK_EX)
        show(os.get_blocking(file.fileno()))
    left, right = socket.socketpair()
    socket.send_fds(left, [b"message"], [left.fileno()])
    text, descriptors, _, _ = socket.recv_fds(right, 10, 3)
    os.write(descriptors[0], b"through it")
    show(text, right.recv(100))
    selector = selectors.DefaultSelector()
    selector.register(right, selectors.EVENT_READ | selectors.EVENT_WRITE)
    left.close()
    os.close(descriptors[0])
    show([events for _, events in selector.select(1)], select.select([right], [], [], 1)[0] == [right])
    show(ctypes.CDLL(None).strlen(b"a foreign function"), resource.getrlimit(resource.RLIMIT_CORE)[0] >= 0)


def main():
    os.chdir(tempfile.mkdtemp(dir="."))
    signal.setitimer(signal.ITIMER_REAL, 100)
    asyncio.run(talking())
    processes()
    database()
    files()
    fired = []
    signal.signal(signal.SIGALRM, lambda *_: fired.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    while len(fired) < 5:
        time.sleep(0.01)
    signal.setitimer(signal.ITIMER_REAL, 0)
    show("alarms", time.strftime("%Y-%m-%d", time.gmtime(1e9)), threading.active_count())
    sys.exit(9)


if __name__ == "__main__":
    main()
