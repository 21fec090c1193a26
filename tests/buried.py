"""An interruption that comes while an object is buried: said at once all the same?"""

import os
import signal
import sys
import time
import weakref

from igaming_assets.interruption import hear_every_interruption


class Thing: ...


if __name__ == "__main__":
    hear_every_interruption()
    thing = Thing()
    watch = weakref.ref(thing, lambda _: os.kill(os.getpid(), signal.SIGINT) or time.sleep(0))
    begun = time.monotonic()
    try:
        del thing
        time.sleep(30)
    except KeyboardInterrupt:
        sys.stdout.write("at once" if time.monotonic() - begun < 20 else "late")
