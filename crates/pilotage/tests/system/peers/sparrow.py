# Serves sparrow-decider on a free port of loopback, and says where: its own command line would say the port that it was asked
# for. Must not change how it answers.
import sparrow_decider.cli as sparrow


class Server(sparrow.ThreadingHTTPServer):
    def serve_forever(self, *words):
        host, port = self.server_address[:2]
        print(f"serves on {host}:{port}", flush=True)
        super().serve_forever(*words)


sparrow.ThreadingHTTPServer = Server
sparrow.main(["serve", "--port", "0"])
