# Sends the form of a recording. Arguments: client, URL, file, name of the file; then fields as name=value.
require 'net/http'

client, url, path, name, *pairs = ARGV
uri = URI(url)
fields = pairs.map { |pair| pair.split('=', 2) }

if client == 'net-http'
  request = Net::HTTP::Post.new(uri)
  file = ['fileAttachment', File.open(path, 'rb'), { filename: name, content_type: 'image/png' }]
  request.set_form(fields + [file], 'multipart/form-data')
else
  require 'net/http/post/multipart'
  file = UploadIO.new(path, 'image/png', name)
  request = Net::HTTP::Post::Multipart.new(uri.path, fields.to_h.merge('fileAttachment' => file))
end
Net::HTTP.start(uri.host, uri.port) { |http| http.request(request) }
