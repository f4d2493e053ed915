import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import okhttp3.MediaType;
import okhttp3.MultipartBody;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import org.apache.http.client.methods.HttpPost;
import org.apache.http.entity.ContentType;
import org.apache.http.entity.mime.HttpMultipartMode;
import org.apache.http.entity.mime.MultipartEntityBuilder;
import org.apache.http.impl.client.HttpClients;

/** Sends the form of a recording. Arguments: client, URL, file, name of the file; then fields as name=value. */
final class SendForm {
  public static void main(String[] arguments) throws Exception {
    String client = arguments[0];
    String url = arguments[1];
    byte[] content = Files.readAllBytes(new File(arguments[2]).toPath());
    String name = arguments[3];

    if (client.equals("okhttp")) {
      MultipartBody.Builder form = new MultipartBody.Builder().setType(MultipartBody.FORM);
      for (int at = 4; at < arguments.length; at++) {
        String[] pair = arguments[at].split("=", 2);
        form.addFormDataPart(pair[0], pair[1]);
      }
      form.addFormDataPart("fileAttachment", name, RequestBody.create(MediaType.get("image/png"), content));
      new OkHttpClient().newCall(new Request.Builder().url(url).post(form.build()).build()).execute().close();
      return;
    }
    MultipartEntityBuilder form = MultipartEntityBuilder.create();
    switch (client) {
      case "apache-strict" -> form.setStrictMode();
      case "apache-legacy" -> form.setLaxMode().setCharset(StandardCharsets.UTF_8);
      case "apache-rfc6532" -> form.setMode(HttpMultipartMode.RFC6532);
      default -> throw new IllegalArgumentException(client);
    }
    for (int at = 4; at < arguments.length; at++) {
      String[] pair = arguments[at].split("=", 2);
      form.addTextBody(pair[0], pair[1]);
    }
    form.addBinaryBody("fileAttachment", content, ContentType.IMAGE_PNG, name);
    HttpPost request = new HttpPost(url);
    request.setEntity(form.build());
    HttpClients.createDefault().execute(request).close();
  }
}
