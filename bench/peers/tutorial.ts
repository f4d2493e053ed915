// The way that tutorials show: multer keeps the file in memory, form-data builds a new form, axios posts it.
import process from 'node:process';
import axios from 'axios';
import express, { type Request, type Response } from 'express';
import FormData from 'form-data';
import multer from 'multer';

const { PORT: port, UPSTREAM_PORT: upstreamPort, TOKEN: token } = process.env;
const leadway = `http://127.0.0.1:${upstreamPort}`;
const authorization = `Bearer ${token}`;

const app = express();
const upload = multer({ storage: multer.memoryStorage() });

app.post(
  '/conversations/messages/upload',
  upload.single('fileAttachment'),
  async (req: Request, res: Response) => {
    const { file } = req;
    if (file === undefined) {
      res.status(400).json({ message: 'no file' });
      return;
    }
    const form = new FormData();
    for (const [name, value] of Object.entries(req.body as Record<string, string>)) form.append(name, value);
    form.append('fileAttachment', file.buffer, { filename: file.originalname, contentType: file.mimetype });
    const answer = await axios.post(`${leadway}/conversations/messages/upload`, form, {
      headers: { ...form.getHeaders(), authorization },
      maxBodyLength: Number.POSITIVE_INFINITY,
    });
    res.status(answer.status).json(answer.data);
  },
);
app.post('/conversations/messages/upload/initiate', express.json(), async (req: Request, res: Response) => {
  const answer = await axios.post(`${leadway}/conversations/messages/upload/initiate`, req.body, {
    headers: { authorization },
  });
  res.status(answer.status).json(answer.data);
});
app.listen(Number(port), '127.0.0.1');
