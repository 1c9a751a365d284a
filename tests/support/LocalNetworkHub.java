import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.net.URL;
import java.util.HexFormat;

/** Asks a group and a REST API until both answer; prints each kind of refusal once. Knows nothing of pairlab. */
public class LocalNetworkHub {
    public static void main(String[] words) throws Exception {
        URL node = new URL(words[0] + "/node");
        byte[] query = HexFormat.of().parseHex(words[1]);
        InetAddress group = InetAddress.getByName("224.0.0.251");
        String last = "";
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.setSoTimeout(200);
            while (true) {
                String came = refusal(() -> socket.send(new DatagramPacket(query, query.length, group, 5353)))
                    + " | " + refusal(() -> node.openStream().close());
                if (!came.equals(last)) {
                    System.out.println(came);
                    System.out.flush();
                }
                last = came;
                if (came.equals("none | none")) {
                    break;
                }
                Thread.sleep(50);
            }
            DatagramPacket answer = new DatagramPacket(new byte[9000], 9000);
            while (answer.getLength() == 9000) {
                try {
                    socket.receive(answer);
                } catch (SocketTimeoutException problem) {
                    // A responder that still probes does not answer.
                    socket.send(new DatagramPacket(query, query.length, group, 5353));
                }
            }
            System.out.println(answer.getLength() > query.length ? "answered" : "echo");
        }
        System.out.println(((HttpURLConnection) node.openConnection()).getResponseCode());
    }

    private interface Call {
        void run() throws IOException;
    }

    private static String refusal(Call call) {
        try {
            call.run();
            return "none";
        } catch (IOException problem) {
            return problem.toString();
        }
    }
}
