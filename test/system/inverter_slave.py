"""An inverter that is not ours: pymodbus as a Modbus slave, on a serial line or TCP."""
import asyncio
import logging
import os
import shutil
import subprocess
import tempfile
import threading


class Registers:
    """What one function of the slave serves, and a note of each request."""

    def __init__(self):
        self.regs, self.asked = {}, []

    def validate(self, address, count=1):
        self.asked.append((address, count))
        return all(r in self.regs for r in range(address, address + count))

    def getValues(self, address, count=1):
        return [self.regs[r] for r in range(address, address + count)]

    def setValues(self, address, values):
        raise AssertionError("the driver wrote to the inverter")


class Slave:
    """pymodbus on its own thread; the scan it serves is exchanged between two polls."""

    def __init__(self):
        from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext
        self.server = self.task = None
        self.input, self.hold, self.other = Registers(), Registers(), Registers()
        unit = ModbusSlaveContext(ir=self.input, hr=self.hold, di=self.other, co=self.other,
                                  zero_mode=True)
        self.context = ModbusServerContext(slaves={1: unit}, single=False)
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # refusals are part of it
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def begin(self, coroutine):
        asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def serial(self, device):
        from pymodbus.server.async_io import ModbusSerialServer
        from pymodbus.transaction import ModbusRtuFramer

        async def begin():
            self.server = ModbusSerialServer(self.context, framer=ModbusRtuFramer,
                                             port=device, baudrate=19200, timeout=0.005)
            await self.server.start()
        self.begin(begin())

    def tcp(self, port):
        from pymodbus.server.async_io import ModbusTcpServer

        async def begin():
            self.server = ModbusTcpServer(self.context, address=("127.0.0.1", port))
            self.task = asyncio.ensure_future(self.server.serve_forever())
            await self.server.serving
        self.begin(begin())

    def stop(self):
        async def end():
            await self.server.shutdown()
            if self.task:
                self.task.cancel()
        self.begin(end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)


def pty_pair(test):
    """Two ends of one line, made by socat for as long as the test lasts."""
    folder = tempfile.mkdtemp(prefix="luxpower")
    test.addCleanup(shutil.rmtree, folder)
    ends = [os.path.join(folder, end) for end in ("monitor", "inverter")]
    socat = subprocess.Popen(
        ["socat", "-d", "-d", *(f"pty,raw,echo=0,link={end}" for end in ends)],
        stderr=subprocess.PIPE, text=True)
    test.addCleanup(socat.stderr.close)
    test.addCleanup(socat.wait, 10)
    test.addCleanup(socat.terminate)
    for line in iter(socat.stderr.readline, ""):
        if "starting data transfer loop" in line:
            return ends
    test.fail("socat made no ptys")
