"""Commands for looking at a stopped kernel; `./carillon gdb` loads them. `help user-defined` lists them.

carillon-log              the kernel's log from memory
carillon-ready            the threads that are ready to run, by priority
carillon-current          the current thread, its process and what it waits for
carillon-process [ADDRESS]  a process, the current one without address: threads, state, handles
carillon-program PATH [ADDRESS]  load a program's or server's symbols (build/ARCH/system/NAME), to set breakpoints in it
"""
import gdb


def elements(head, type_name, member):
    """The elements of a kernel/core/list.h list, given its head."""
    element = gdb.lookup_type("struct " + type_name)
    offset = next(field.bitpos // 8 for field in element.fields() if field.name == member)
    link = head["next"]
    while link != head.address:
        yield (link.cast(gdb.lookup_type("char").pointer()) - offset).cast(element.pointer())
        link = link["next"]


def describe_thread(thread):
    text = "thread %d at %#x %s" % (int(thread["number"]), int(thread), str(thread["state"]))
    if int(thread["call_number"]):
        text += " in call %d" % int(thread["call_number"])
    if int(thread["waiting_on"]):
        text += " waiting on %#x" % int(thread["waiting_on"])
    if int(thread["process"]):
        text += " of process %#x (pid %d)" % (int(thread["process"]), int(thread["process"]["badge"]) & 0xffffffff)
    return text


def processor():
    """struct processor of the one that is looked at."""
    if "riscv" in gdb.selected_frame().architecture().name():
        return gdb.parse_and_eval("boot_processor")
    return gdb.parse_and_eval("processor_data[0]")


class Command(gdb.Command):
    def __init__(self, name, text):
        self.__doc__ = text
        super().__init__("carillon-" + name, gdb.COMMAND_USER)


class Log(Command):
    def invoke(self, argument, terminal):
        ring = gdb.parse_and_eval("'kernel/core/log.c'::ring")
        written = int(gdb.parse_and_eval("'kernel/core/log.c'::ring_written"))
        size = ring.type.sizeof
        data = bytes(gdb.selected_inferior().read_memory(int(ring.address), size))
        start = written % size
        text = data[:written] if written <= size else data[start:] + data[:start]
        gdb.write(text.decode(errors="replace"))


class Ready(Command):
    def invoke(self, argument, terminal):
        root = gdb.parse_and_eval("share_root")
        for priority in range(root["queue"].type.range()[1] + 1):
            self.tell(root["queue"][priority], priority)

    def tell(self, queue, priority):
        ready = queue["ready"]
        for turn in elements(ready, "turn", "link") if int(ready["next"]) else []:
            if int(turn["queue"]):
                self.tell(turn["queue"], priority)
            else:
                thread = gdb.lookup_type("struct thread")
                offset = next(field.bitpos // 8 for field in thread.fields() if field.name == "turn")
                gdb.write("%2d  %s\n" % (priority, describe_thread(gdb.Value(int(turn) - offset).cast(thread.pointer()))))


class Current(Command):
    def invoke(self, argument, terminal):
        gdb.write(describe_thread(processor()["current"]) + "\n")


class Process(Command):
    def invoke(self, argument, terminal):
        process = gdb.parse_and_eval("(struct process *)(%s)" % argument) if argument else processor()["current"]["process"]
        gdb.write("process %#x pid %d%s%s status %#x\n" % (int(process), int(process["badge"]) & 0xffffffff,
                  " corpse" if process["corpse"] else "", " suspended" if process["suspended"] else "", int(process["status"])))
        for thread in elements(process["threads"], "thread", "process_link"):
            gdb.write("  %s\n" % describe_thread(thread))
        for high, base in ((0, 0), (1, 0x40000000)):
            handles = process["handles"]["table"][high]
            if not int(handles):
                continue
            for number in range(int(handles["capacity"])):
                slot = handles["slots"][number]
                if int(slot["object"]):
                    gdb.write("  handle %#x %s at %#x rights %#x references %d\n" % (base + number, slot["object"]["operations"]["name"].string(),
                              int(slot["object"]), int(slot["rights"]), int(slot["object"]["references"])))


class Program(Command):
    def invoke(self, argument, terminal):
        gdb.execute("add-symbol-file " + argument)


Log("log", "The kernel's log, from memory.")
Ready("ready", "The threads that are ready to run.")
Current("current", "The current thread.")
Process("process", "A process by the address of its structure (the current one without): threads and handles.")
Program("program", "Load the symbols of a native program: carillon-program PATH [TEXT-ADDRESS].")
